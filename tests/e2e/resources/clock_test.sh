#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A wall clock that goes backwards by hours, and files with the wrong age: nothing changes but the times that are noted.
set -euo pipefail
# shellcheck source=tests/e2e/resources/common.sh
. "$WHORL_TESTS/e2e/resources/common.sh"

misbehaving clock
before=$(date +%s)
[ "$(env "${words[@]:1}" date +%s)" -lt $((before - 3000)) ] || fail "the clock does not go backwards"

make_dataset flowers.h5 20
mpirun -n 2 "${words[@]}" "$WHORL_BIN"/whorl-ingest --input flowers.tar --output again.h5 --size 16 > output 2>&1 || fail "ingest"
cmp flowers.h5 again.h5 || fail "the clock changed the dataset"

write_job job.ini
train=("$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --train.epochs=6 --parallel.watchdog=3)
mpirun -n 2 "${train[@]}" --run undisturbed > output 2>&1 || fail "training"
mpirun -n 2 "${words[@]}" "${train[@]}" --run run --checkpoint.keep=9 --checkpoint.seconds=0.01 --walltime 5 > output 2>&1 || fail "training"
cmp undisturbed/weights.h5 run/weights.h5 || fail "the clock changed the weights"

# Which checkpoint is the newest, its step says, not its age.
rm run/verdict.txt run/weights.h5
touch -d "1 year" run/checkpoints/step-000000010.h5
touch -d "1 year ago" run/checkpoints/step-000000012.h5
mpirun -n 2 "${words[@]}" "${train[@]}" --run run > output 2>&1 || fail "going on"
expect_in_output "goes on from run/checkpoints/step-000000012.h5"
cmp undisturbed/weights.h5 run/weights.h5 || fail "the clock changed the weights"
