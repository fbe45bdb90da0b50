#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A quota that is used up: ingest keeps what is finished and goes on from there; training goes on without checkpoints.
set -euo pipefail
# shellcheck source=tests/e2e/resources/common.sh
. "$WHORL_TESTS/e2e/resources/common.sh"

"$WHORL_BIN"/make_pictures tree 3 60
ingest=("$WHORL_BIN"/whorl-ingest --input tree --size 192)
mpirun -n 2 "${ingest[@]}" --output whole.h5 > output 2>&1 || fail "ingest"
misbehaving "quota 9000000"
for store in pixels jpeg; do
  [ $store = pixels ] || misbehaving "quota 100000"
  expect_failure 1 mpirun -n 2 "${words[@]}" "${ingest[@]}" --store $store --output $store.h5
  expect_in_output "Disk quota exceeded"
  [ "$(grep -c 'whorl-ingest: error' output)" -eq 1 ] || fail "there should be one message"
  [ ! -e $store.h5 ] || fail "a file appeared"
  mpirun -n 2 "${ingest[@]}" --store $store --output $store.h5 --resume > output 2>&1 || fail "going on with more room"
done
cmp whole.h5 pixels.h5 || fail "the quota changed the file"

make_dataset flowers.h5 20
write_job job.ini
train=("$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5)
mpirun -n 2 "${train[@]}" --run undisturbed > output 2>&1 || fail "training"
weights=$(stat -c %s undisturbed/weights.h5) checkpoint=$(stat -c %s undisturbed/checkpoints/step-000000004.h5)
[ "$weights" -lt "$checkpoint" ] || fail "a checkpoint is no larger than the weights"
misbehaving "quota $(((weights + checkpoint) / 2))"
expect_failure 1 mpirun -n 2 "${words[@]}" "${train[@]}" --run run
expect_in_output "Disk quota exceeded; training goes on"
expect_in_output "warning: some checkpoints could not be written"
[ -z "$(ls -A run/checkpoints)" ] || fail "left behind: $(ls -A run/checkpoints)"
cmp undisturbed/weights.h5 run/weights.h5 || fail "the quota changed the weights"
