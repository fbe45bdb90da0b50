#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The files of slurm/ in a real Slurm (studies and readings have tests of their own): ingest and training on one node and on two, by
# srun and by mpirun, settings of a site, an array of seeds behind a dependency, a job that is stopped before its time is over, and one
# whose forerunner fails.
set -euo pipefail
# shellcheck source=tests/slurm/common.sh
. "$WHORL_TESTS/slurm/common.sh"

"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 40 --size 24 > /dev/null 2>&1
small=(--train.epochs=1 --train.batch=40 --train.shard=10)
hosts_of() { grep -o '"host": "[^"]*"' "$1/run.json" | cut -d '"' -f 4 | paste -sd ' '; }

# Ingest on one node; behind it, an array of two seeds, each on two nodes (the example of the README).
ingest=$(sbatch --parsable slurm/ingest.sbatch --input flowers.tar --output flowers.h5 --size 16)
train=$(sbatch --parsable --dependency=afterok:"$ingest" --kill-on-invalid-dep=yes --array=1-2 --nodes=2 --ntasks-per-node=1 \
  slurm/train.sbatch --job jobs/quickstart.ini --data flowers.h5 --network.image_size=0 "${small[@]}")
wait_for_job "$ingest" COMPLETED 60
expect_text flowers.h5.launch.txt "SLURM_JOB_ID=$ingest"
expect_text "whorl-ingest-$ingest.out" "200 pictures"
wait_for_job "$train" COMPLETED 60
for seed in 1 2; do
  run=runs/train-$train-$seed
  grep -qx "seed = $seed" "$run/job.ini" || fail "task $seed did not train with its own seed"
  [ "$(hosts_of "$run")" = "n1 n2" ] || fail "task $seed ran on $(hosts_of "$run"), not on n1 and n2"
  expect_text "$run/launch.txt" "started: srun --mpi=pmix"
  expect_text "$run/launch.txt" "ended: status 0"
done
! cmp -s "runs/train-$train-1/metrics.csv" "runs/train-$train-2/metrics.csv" || fail "both seeds trained the same"

# Ingest on two nodes makes the same file; training on one, as the sbatch file has it.
ingest=$(sbatch --parsable --nodes=2 --ntasks-per-node=1 slurm/ingest.sbatch --input flowers.tar --output by_two_nodes.h5 --size 16)
train=$(sbatch --parsable slurm/train.sbatch --job jobs/quickstart.ini --data flowers.h5 --network.image_size=0 --run one_node "${small[@]}")
wait_for_job "$ingest" COMPLETED 60
cmp flowers.h5 by_two_nodes.h5 || fail "two nodes ingest otherwise than one"
wait_for_job "$train" COMPLETED 60
[[ $(hosts_of one_node) =~ ^(n1 n1|n2 n2)$ ]] || fail "one node was asked for, and $(hosts_of one_node) taken"

# Two nodes by mpirun, as a site's settings say; a flag given at submission wins over the sbatch file's.
# shellcheck disable=SC2016
printf '%s\n' ': "${WHORL_LAUNCHER:=mpirun}" "${WHORL_MPIRUN_OPTIONS:=--tag-output}"' '. slurm/site.sh' > site.sh
export WHORL_SITE=$PWD/site.sh
train=$(sbatch --parsable --nodes=2 --ntasks-per-node=2 slurm/train.sbatch --job jobs/quickstart.ini --data flowers.h5 \
  --network.image_size=0 --run by_mpirun "${small[@]}")
wait_for_job "$train" COMPLETED 60
[ "$(hosts_of by_mpirun)" = "n1 n1 n2 n2" ] || fail "mpirun ran on $(hosts_of by_mpirun), not on n1 n1 n2 n2"
expect_text by_mpirun/launch.txt "started: mpirun --quiet -n 4"
expect_text "train-$train.out" "[1,0]<stdout>"
unset WHORL_SITE

# One node and srun; USR1, as --signal sends it before the time is over, stops a program that cannot go on later, and says so.
job=$(sbatch --parsable --ntasks=1 --cpus-per-task=1 --wrap "exec jobs/launch.sh /usr/bin/env bash -c 'sleep 100' -- --run long")
wait_for_text long/launch.txt "started: srun" 60
sleep 1
scancel --batch --signal=USR1 "$job"
wait_for_job "$job" FAILED 30
expect_text "slurm-$job.out" "the time is nearly over; stopped unfinished"
expect_text long/launch.txt "the time is nearly over"

# What waits for a job that fails is taken out of the queue.
ingest=$(sbatch --parsable slurm/ingest.sbatch --input there-is-none.tar --output none.h5)
train=$(sbatch --parsable --dependency=afterok:"$ingest" --kill-on-invalid-dep=yes slurm/train.sbatch \
  --job jobs/quickstart.ini --data none.h5)
wait_for_job "$ingest" FAILED 30
wait_for_job "$train" CANCELLED 30
