#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A pipe that nobody writes to, or a device that never ends, in the place of a file: a message within seconds.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

train=(mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5)

# refused FILE COMMAND...: with either of them in the place of FILE.
refused() {
  local file=$1
  shift
  rm -f "$file"
  mkfifo "$file"
  expect_failure 1 "$@"
  expect_in_output "cannot read $file: not a regular file"
  rm "$file"
  ln -s /dev/zero "$file"
  expect_failure 1 "$@"
  expect_in_output "cannot read $file: not a regular file"
}

make_dataset flowers.h5 8
write_job job.ini
mkfifo piped.ini
cat job.ini > piped.ini &
mpirun -n 2 "$WHORL_BIN"/whorl-train --job piped.ini --data flowers.h5 --run finished > output 2>&1 || fail "a job out of a pipe"
expect_failure 1 mpirun -n 2 "$WHORL_BIN"/whorl-train --job /dev/zero --data flowers.h5 --run none
expect_in_output "cannot read /dev/zero: it is longer than 16.0 MB"

refused "$PWD/given.h5" "${train[@]}" --run none --resume "$PWD/given.h5"
[ ! -e none ] || fail "a failed start left a run folder"
for file in job.ini weights.h5 run.json; do
  cp -r finished "$file.d"
  refused "$file.d/$file" mpirun -n 2 "$WHORL_BIN"/whorl-eval --run "$file.d"
done
for file in job.ini run.json; do
  refused "$file.d/$file" "${train[@]}" --run "$file.d"
done
cp -r finished unfinished
rm unfinished/verdict.txt
refused "unfinished/checkpoints/$(ls unfinished/checkpoints | tail -n 1)" "${train[@]}" --run unfinished
