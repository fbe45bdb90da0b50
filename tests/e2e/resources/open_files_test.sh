#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Ranks that may open few files: whatever fails for the want of one, MPI's own set-up included, says so and ends the job.
set -euo pipefail
# shellcheck source=tests/e2e/resources/common.sh
. "$WHORL_TESTS/e2e/resources/common.sh"

if [ -n "$WHORL_SANITIZE" ]; then
  echo "skipped: what -fsanitize=$WHORL_SANITIZE checks it looks at through a pipe, for which there are no descriptors left either"
  exit 77
fi

make_dataset flowers.h5 20
write_job job.ini
failed=0 succeeded=0
# try_with FILES PROGRAM ARGUMENTS...: succeeds, or fails in time with the cause.
try_with() {
  local status=0 start=$SECONDS
  # shellcheck disable=SC2016
  timeout $((60 * slowness)) mpirun -n 2 bash -c 'ulimit -n "$0"; exec "$@"' "$@" > output 2>&1 || status=$?
  [ $((SECONDS - start)) -lt $((20 * slowness)) ] || fail "it took $((SECONDS - start)) s to end with $1 files: $2"
  if [ $status -eq 0 ]; then
    succeeded=$((succeeded + 1))
  else
    failed=$((failed + 1))
    expect_in_output "Too many open files"
  fi
}
for files in 14 16 18 20 22 24 40; do
  rm -rf run again.h5*
  try_with $files "$WHORL_BIN"/whorl-ingest --input flowers.tar --output again.h5 --size 16
  try_with $files "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run run --train.epochs=1
done
[ $succeeded -ge 2 ] && [ $failed -ge 6 ] || fail "$succeeded succeeded, $failed failed: not the limits to try"
