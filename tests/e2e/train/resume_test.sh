#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A training goes on from its checkpoints in the same run folder, falls back where the newest is damaged, and refuses what is not its own.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

train=("$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --train.epochs=4)
digest_of() { grep -o '"weights_digest": "[0-9a-f]*"' "$1/run.json" || fail "$1/run.json has no digest"; }
expect_same_run() {  # expect_same_run RUN: as if it had not been interrupted
  [ "$(digest_of "$1")" = "$(digest_of undisturbed)" ] || fail "$1 has other weights than the undisturbed run"
  cmp -s <(cut -d, -f1-7 "$1/metrics.csv") <(cut -d, -f1-7 undisturbed/metrics.csv) || fail "$1 has other metrics"
}
unfinish() {  # unfinish RUN COPY: the run as it was before its last epoch
  cp -r "$1" "$2"
  rm "$2"/verdict.txt "$2"/weights.h5 "$2"/checkpoints/step-000000016.h5
}

make_dataset flowers.h5 40
write_job job.ini
kept=
for _ in 1 2 3; do # where the disk is busy, a checkpoint is left out while the one before is still being written
  rm -rf undisturbed
  mpirun -n 2 "${train[@]}" --checkpoint.keep=3 --run undisturbed > output 2>&1 || fail "training"
  kept=$(ls undisturbed/checkpoints | paste -sd ' ')
  [ "$kept" != "step-000000008.h5 step-000000012.h5 step-000000016.h5" ] || break
done
[ "$kept" = "step-000000008.h5 step-000000012.h5 step-000000016.h5" ] ||
  fail "not the last three checkpoints: $(ls undisturbed/checkpoints)"

# From the newest, on another number of ranks; with other settings that do not matter.
unfinish undisturbed resumed
mpirun -n 3 "${train[@]}" --run resumed --parallel.all_reduce=mpi > output 2>&1 || fail "resuming"
expect_in_output "goes on from resumed/checkpoints/step-000000012.h5 after step 12"
expect_in_output "resumed         after step 12"
expect_same_run resumed
[ "$(grep -c '"from_step"' resumed/run.json)" -eq 2 ] || fail "run.json should tell of two starts"

# The newest is damaged: one bit.
unfinish undisturbed damaged
damaged=damaged/checkpoints/step-000000012.h5
byte=$(($(stat -c %s $damaged) / 3))
value=$(od -An -tu1 -j $byte -N1 $damaged)
printf "\\x$(printf %x $((value ^ 4)))" | dd of=$damaged bs=1 seek=$byte conv=notrunc status=none
mpirun -n 1 "${train[@]}" --run damaged > output 2>&1 || fail "falling back"
expect_in_output "warning: $damaged is damaged: the dataset"
expect_in_output "goes on from damaged/checkpoints/step-000000008.h5"
[ -e $damaged.damaged ] || fail "the damaged checkpoint was not set aside"
expect_same_run damaged
for file in undisturbed/checkpoints/*; do truncate -s 3000 "$file"; done
rm undisturbed/verdict.txt
expect_failure 1 mpirun -n 2 "${train[@]}" --run undisturbed
expect_in_output "none of the 3 checkpoints in undisturbed/checkpoints can be read"

# Begun, but no checkpoint yet: from the beginning. Finished, or told never to: not at all.
unfinish resumed begun
rm -r begun/checkpoints
mpirun -n 2 "${train[@]}" --run begun > output 2>&1 || fail "beginning again"
expect_same_run begun
mpirun -n 2 "${train[@]}" --run begun > output 2>&1 || fail "a finished run, again"
expect_in_output "begun is finished already"
expect_failure 1 mpirun -n 2 "${train[@]}" --run begun --optimizer.learning_rate=0.1
expect_in_output "belongs to another training: optimizer.learning_rate = 0.05 there, 0.1 here"
unfinish resumed never
expect_failure 1 mpirun -n 2 "${train[@]}" --run never --resume never
expect_in_output "is not empty"

# Somebody is at work there.
unfinish resumed busy
expect_failure 1 flock busy/.lock mpirun -n 2 "${train[@]}" --run busy
expect_in_output "another whorl-train is writing to the run folder busy"

# From a given checkpoint, into a new folder.
mpirun -n 2 "${train[@]}" --run branch --resume resumed/checkpoints/step-000000012.h5 > output 2>&1 || fail "--resume FILE"
expect_same_run branch

# The same command goes on from the run's own checkpoints; from another than it began from, it does not.
unfinish branch begun_branch
mpirun -n 2 "${train[@]}" --run begun_branch --resume resumed/checkpoints/step-000000012.h5 > output 2>&1 || fail "--resume FILE again"
expect_same_run begun_branch
unfinish branch other_branch
expect_failure 1 mpirun -n 2 "${train[@]}" --run other_branch --resume resumed/checkpoints/step-000000016.h5
expect_in_output "is not empty"

# Another job, another dataset.
expect_failure 1 mpirun -n 2 "${train[@]}" --run never --optimizer.learning_rate=0.1
expect_in_output "belongs to another training: optimizer.learning_rate = 0.05 there, 0.1 here"
make_dataset other.h5 41
expect_failure 1 mpirun -n 2 "${train[@]}" --data other.h5 --run never
expect_in_output "was trained on another dataset than other.h5"
expect_failure 1 mpirun -n 2 "${train[@]}" --data other.h5 --run begun
expect_in_output "the run in begun is finished, and was trained on another dataset than other.h5"
expect_failure 1 mpirun -n 2 "${train[@]}" --run none --resume flowers.h5
expect_in_output "flowers.h5 is damaged: its seal"
[ ! -e none ] || fail "a failed start left a run folder"
