#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# jobs/launch.sh outside of a Slurm job (tests/slurm runs it inside of one).
set -euo pipefail
unset "${!SLURM_@}"

launch=$WHORL_TESTS/../jobs/launch.sh

fail() {
  echo "FAILED: $1" >&2
  sed 's/^/    | /' output >&2
  exit 1
}
expect_in_output() { grep -qF -- "$1" output || fail "the output lacks: $1"; }

"$launch" --ranks 1 --threads 1 --print whorl-train --job "a b.ini" > output
expect_in_output "mpirun --quiet -n 1 --map-by ppr:1:node:PE=1 --bind-to core $WHORL_BIN/whorl-train --job a\\ b.ini"
"$launch" --ranks 4096 --print whorl-train > output
expect_in_output "mpirun --quiet -n 4096 --bind-to none"
WHORL_MPIRUN_OPTIONS="--mca btl self" "$launch" --print whorl-train > output
expect_in_output "--mca btl self $WHORL_BIN/whorl-train"
WHORL_LAUNCHER=srun "$launch" --ranks 6 --threads 2 --print whorl-train > output
expect_in_output "srun --mpi=pmix --ntasks=6 --cpus-per-task=2"

for wrong in "--ranks 0 whorl-train" "--ranks" "--rank 2 whorl-train" ""; do
  # shellcheck disable=SC2086
  if "$launch" $wrong > output 2>&1; then fail "taken as right: $wrong"; fi
  expect_in_output "launch.sh [--ranks N]"
done
if "$launch" whorl-none > output 2>&1; then fail "a program that is not there"; fi
expect_in_output "there is no program"

# Three ranks share two GPUs.
CUDA_VISIBLE_DEVICES=5,7 "$launch" --ranks 3 --gpus /usr/bin/env printenv CUDA_VISIBLE_DEVICES > output
[ "$(sort output | paste -sd ' ')" = "5 5 7" ] || fail "the ranks did not get GPU 5, 7 and 5"

# The exit status is the program's; the note says what ran, and holds no token.
status=0
SLURM_JWT=secret "$launch" --ranks 1 /usr/bin/env bash -c 'exit 3' -- --run noted > output 2>&1 || status=$?
[ "$status" -eq 3 ] || fail "status $status instead of 3"
grep -q "started: mpirun --quiet -n 1" noted/launch.txt || fail "the command is not noted"
grep -q "ended: status 3" noted/launch.txt || fail "the end is not noted"
if grep -q secret noted/launch.txt; then fail "a token was noted"; fi

# A folder that holds another run is left alone.
mkdir other && touch other/job.ini
"$launch" --ranks 1 /usr/bin/env true --run other
[ ! -e other/launch.txt ] || fail "a note was left in another run's folder"

# The folder with the note is still new to whorl-train, which goes on to find the job file missing; one with a run is not.
if "$launch" --ranks 1 whorl-train --job none.ini --run fresh > output 2>&1; then fail "a job without its file"; fi
expect_in_output "none.ini"
"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 10 --size 16 > /dev/null 2>&1
"$launch" --ranks 2 whorl-ingest --input flowers.tar --output flowers.h5 --size 16 > output 2>&1 || fail "ingest"
[ -s flowers.h5.launch.txt ] || fail "no note beside the dataset"
train=(whorl-train --job "$WHORL_TESTS/../jobs/quickstart.ini" --data flowers.h5 --network.image_size=0 --train.epochs=1
  --train.batch=10 --train.shard=5 --run fresh)
"$launch" --ranks 2 "${train[@]}" > output 2>&1 || fail "training into a folder with a note"
"$launch" --ranks 2 "${train[@]}" > output 2>&1 || fail "training again what has ended"
expect_in_output "fresh is finished already"
if "$launch" --ranks 2 "${train[@]}" --resume never > output 2>&1; then fail "training into the folder of a run"; fi
expect_in_output "is not empty"

# The program computes with as many threads as were asked for, also where there are no cores to bind them to.
"$launch" --threads 97 "${train[@]/fresh/threads}" --train.epochs=0.1 > output 2>&1 || fail "training with 97 threads"
grep -q '"threads_per_rank": 97' threads/run.json || fail "another number of threads than 97"

# interrupt NAME COMMAND [ARGUMENTS...]: a shell's command, which gets USR1 when it has made the file NAME.begun; sets `status`.
interrupt() {
  local name=$1 command=$2
  "$launch" --ranks 1 /usr/bin/env bash -c "$command" -- "${@:3}" > output 2>&1 &
  local pid=$!
  until [ -e "$name.begun" ]; do sleep 0.1; done
  status=0
  kill -USR1 "$pid"
  wait "$pid" || status=$?
}

# USR1 stops the program, and says why; one that has come to its end meanwhile has succeeded.
interrupt stopped "touch stopped.begun; sleep 60" --run stopped
[ "$status" -eq 1 ] || fail "status $status instead of 1 after USR1"
expect_in_output "the time is nearly over"
interrupt ended "trap 'exit 0' USR1; touch ended.begun; while :; do sleep 0.1; done" --run ended
[ "$status" -eq 0 ] || fail "status $status instead of 0 of a program that ended well after USR1"

# In a job of Slurm, of which there are but the words here, one that resumes goes back into the queue; unless it has not come further.
mkdir -p slurm stuck.partial-0 further.partial-0
printf '#!/bin/sh\necho RUNNING\n' > slurm/squeue
printf '#!/bin/sh\necho "$@" >> %q\n' "$PWD/requeued" > slurm/scontrol
chmod +x slurm/*
for name in stuck further; do
  echo picture > $name.partial-0/journal-0
  more=:
  [ $name = stuck ] || more="echo picture >> $name.partial-0/journal-0"
  PATH=$PWD/slurm:$PATH SLURM_JOB_ID=17 WHORL_LAUNCHER=mpirun interrupt $name "$more; touch $name.begun; sleep 60" --resume --output $name
done
[ "$(cat requeued)" = "requeue 17" ] || fail "not once back into the queue: $(cat requeued)"
