#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Mistakes on the command line, in job files and in run folders: one message that helps, and no run folder.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

train_fails() {  # train_fails STATUS TEXT FLAGS...
  local status=$1 text=$2
  shift 2
  expect_failure "$status" mpirun -n 2 "$WHORL_BIN"/whorl-train "$@"
  expect_in_output "$text"
  [ "$(grep -c 'whorl-train: error' output)" -eq 1 ] || fail "there should be one message"
  [ ! -e run ] || fail "a failed start left a run folder"
}

make_dataset flowers.h5 8
write_job job.ini

"$WHORL_BIN"/whorl-train --help > output 2>&1 || fail "--help"
expect_in_output "--train.epochs="
"$WHORL_BIN"/whorl-eval --help > output 2>&1 || fail "--help of whorl-eval"

train_fails 2 "no job given" --run run
train_fails 2 "did you mean '--train.epochs'" --job job.ini --train.epoch=2 --run run
train_fails 2 "did you mean '--data'" --job job.ini --dta flowers.h5 --run run
sed 's/^flip/flop/' job.ini > typo.ini
train_fails 2 "typo.ini line 10: there is no key 'augment.flop'; did you mean 'augment.flip'?" --job typo.ini --data flowers.h5 --run run
train_fails 2 "must be a number" --job job.ini --data flowers.h5 --train.epochs=some --run run
train_fails 2 "no abacus backend" --job job.ini --data flowers.h5 --device abacus --run run
train_fails 2 "must be a multiple of the shard size" --job job.ini --data flowers.h5 --train.batch=33 --run run
train_fails 1 "nowhere.ini" --job nowhere.ini --data flowers.h5 --run run
train_fails 1 "missing.h5" --job job.ini --data missing.h5 --run run
train_fails 1 "flowers.tar" --job job.ini --data flowers.tar --run run

mkdir full
echo mine > full/notes.txt
train_fails 1 "is not empty" --job job.ini --data flowers.h5 --run full
[ "$(ls full)" = notes.txt ] || fail "the folder was touched"

expect_failure 2 mpirun -n 2 "$WHORL_BIN"/whorl-eval --data flowers.h5
expect_in_output "no run given"
expect_failure 2 mpirun -n 2 "$WHORL_BIN"/whorl-eval --run full --tta twice
expect_in_output "none, mirror, airbench"
expect_failure 1 mpirun -n 2 "$WHORL_BIN"/whorl-eval --run full
expect_in_output "job.ini"
