#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Nothing but what was named is written: a chain of programs works where all other files are read-only, and leaves nothing in the
# folders for temporary files.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

if [ "${1:-}" != inside ]; then
  [ "$(id -u)" -eq 0 ] || { echo "skipped: making all other files read-only needs root"; exit 77; }
  unshare --mount true 2> /dev/null || { echo "skipped: this container may not make a mount namespace"; exit 77; }
  exec unshare --mount --propagation private "$0" inside
fi
mkdir work temporary home
for folder in work temporary; do mount --bind $folder $folder; done
mount -t tmpfs tmpfs /dev/shm
mount -o remount,bind,ro /
while read -r _ folder _; do
  case "$folder" in
    "$PWD"/* | /proc* | /sys* | /dev*) ;;
    *) mount -o remount,bind,ro "$folder" 2> /dev/null || true ;;
  esac
done < /proc/mounts
cd work
if touch ../home/file /tmp/file 2> /dev/null; then fail "other files can be written"; fi
export TMPDIR=$PWD/../temporary HOME=$PWD/../home

make_dataset flowers.h5 20
write_job job.ini
"$WHORL_BIN"/whorl-inspect flowers.h5 --sheet sheet.jpg > output 2>&1 || fail "whorl-inspect"
mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run run > output 2>&1 || fail "whorl-train"
mpirun -n 2 "$WHORL_BIN"/whorl-eval --run run --data flowers.h5 --json evaluation.json > output 2>&1 || fail "whorl-eval"
mpirun -n 2 "$WHORL_BIN"/whorl-allreduce --bytes 4K --repeat 1 --json sums.json > output 2>&1 || fail "whorl-allreduce"

[ "$(ls -A | paste -sd ' ')" = "evaluation.json flowers.h5 flowers.tar job.ini output run sheet.jpg sums.json" ] || fail "in the folder: $(ls -A)"
[ "$(ls -A run | paste -sd ' ')" = "checkpoints job.ini metrics.csv run.json timing.json verdict.txt weights.h5" ] || fail "in run: $(ls -A run)"
[ -z "$(ls -A ../temporary /dev/shm | grep -vE '^$|:$')" ] || fail "left behind: $(ls -A ../temporary /dev/shm)"
