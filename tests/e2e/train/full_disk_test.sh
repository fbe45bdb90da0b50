#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A disk with room for the weights but not for a checkpoint: training goes on to its end, warns, and exits with status 1.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

if [ "${1:-}" != inside ]; then
  if ! unshare --mount --map-root-user true 2> reason; then
    echo "skipped: a small disk cannot be mounted here ($(head -n 1 reason))"
    exit 77
  fi
  exec unshare --mount --map-root-user "$0" inside
fi
mkdir disk
mount -t tmpfs -o size=2m tmpfs disk

make_dataset flowers.h5 20
write_job job.ini
expect_failure 1 mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run disk/run
expect_in_output "warning: no checkpoint of step 2: cannot reserve"
expect_in_output "No space left on device; training goes on"
expect_in_output "warning: some checkpoints could not be written"
[ -s disk/run/weights.h5 ] || fail "there are no weights"
[ -z "$(ls -A disk/run/checkpoints)" ] || fail "something was left: $(ls -A disk/run/checkpoints)"
mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run elsewhere > output 2>&1 || fail "training elsewhere"
cmp disk/run/weights.h5 elsewhere/weights.h5 || fail "the full disk changed the weights"
