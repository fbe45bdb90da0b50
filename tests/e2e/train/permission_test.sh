#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Files that may not be read, a run folder that may not be written, and one that may no longer be written once training has begun: then
# it goes on, warns, and exits with status 1. Root may do everything, so it becomes "nobody" for this test.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

skip() { echo "skipped: root may do everything, and $1"; exit 77; }
as_user=()
if [ "$(id -u)" -eq 0 ]; then
  command -v setpriv > /dev/null || skip "there is no setpriv to become another user"
  as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chmod 755 .
  "${as_user[@]}" test -x "$WHORL_BIN"/whorl-train || skip "the user nobody cannot reach $WHORL_BIN/whorl-train"
fi
train=("${as_user[@]}" env HOME="$PWD" mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5)

make_dataset flowers.h5 20
write_job job.ini
cp flowers.h5 locked.h5
cp job.ini locked.ini
mkdir closed open
chmod 000 locked.h5 locked.ini
chmod 555 closed
chmod 777 open
touch output
chmod 666 output

expect_failure 1 "${train[@]}" --run open/run --data locked.h5
expect_in_output "locked.h5: Permission denied"
expect_failure 1 "${train[@]}" --run open/run --job locked.ini
expect_in_output "cannot open locked.ini: Permission denied"
[ ! -e open/run ] || fail "a failed start left a run folder"
expect_failure 1 "${train[@]}" --run closed/run
expect_in_output "cannot create the run folder closed/run: Permission denied"
expect_failure 1 "${train[@]}" --run closed
expect_in_output "cannot create closed/.lock: Permission denied"

# Neither checkpoints nor metrics.csv can be written for a while, and there is nobody to see it: training goes on.
"${train[@]}" --run open/run --train.epochs=40 --train.evaluate_every=0 > output 2>&1 &
job=$!
trap 'kill -9 "$job" 2> /dev/null || true' EXIT
until [ -s open/run/metrics.csv ] && compgen -G "open/run/checkpoints/step-*" > /dev/null; do kill -0 $job || fail "training ended"; sleep 0.05; done
chmod 555 open/run open/run/checkpoints
until grep -q "no checkpoint of step" output && grep -q "warning: cannot create open/run/metrics.csv" output; do
  kill -0 $job || fail "training ended"
  sleep 0.05
done
chmod 777 open/run
status=0
wait $job || status=$?
[ "$status" -eq 1 ] || fail "status $status instead of 1"
expect_in_output "cannot create open/run/checkpoints/step-"
expect_in_output "Permission denied; training goes on"
expect_in_output "warning: some checkpoints could not be written"
[ -s open/run/weights.h5 ] || fail "there are no weights"
[ "$(wc -l < open/run/metrics.csv)" -eq 41 ] || fail "metrics.csv should hold a line for each of 40 epochs"

chmod 000 open/run/weights.h5
expect_failure 1 "${as_user[@]}" env HOME="$PWD" mpirun -n 2 "$WHORL_BIN"/whorl-eval --run open/run --data flowers.h5
expect_in_output "weights.h5: Permission denied"
