#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# whorl-doctor: its table and JSON, a folder nobody can write in, ranks bound wrongly: each named, with its remedy.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

doctor=$WHORL_BIN/whorl-doctor
row() { grep -qE "^$1 +$2 " output || fail "no \"$1\" of $2"; }
unwrapped() { tr -s ' \n' ' ' < output; }
expect_words() { unwrapped | grep -qF -- "$1" || fail "the output lacks: $1"; }

for ranks in 1 3; do
  mpirun -n $ranks "$doctor" --json figures.json > output 2>&1 || fail "$ranks ranks"
  row ok MPI-IO
  row ok HDF5
  row "(ok|warn)" "within nodes"
  row "(ok|warn)" GPU
  row "(ok|warn)" NCCL
  [ "$(grep -c '"pattern\|"verdict"' figures.json)" -eq 1 ] || fail "figures.json has no verdict"
  [ "$(grep -c '"fma_rate"' figures.json)" -eq $ranks ] || fail "figures.json has not the clock of each of $ranks ranks"
done
[ "$(find . -name 'whorl-doctor-*')" = "" ] || fail "something is left behind"

# Through the launcher, which binds.
"$WHORL_TESTS"/../jobs/launch.sh --ranks 1 whorl-doctor > output 2>&1 || fail "by launch.sh"

# /sys is never written in, whoever tries.
expect_failure 1 mpirun -n 2 "$doctor" --scratch /sys
row fail scratch
expect_words "cannot write in /sys: "
expect_words "-> name a folder that every node may write in: --scratch DIR"

if [ "$(nproc)" -ge 2 ]; then
  first=$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')
  expect_failure 1 taskset -c "$first" mpirun -n 2 "$doctor"
  row fail binding
  expect_words "with 1 thread each, are all bound to core $first"
  expect_words "mpirun --map-by ppr:2:node:PE=1 --bind-to core"
else
  echo "one CPU only: a wrong binding was not tried"
fi

expect_failure 2 mpirun -n 2 "$doctor" --scratches .
expect_in_output "unknown option --scratches; did you mean --scratch?"
expect_failure 2 "$doctor" --limit 0
expect_in_output "at least 1 second"
"$doctor" --help > output || fail "--help"
expect_in_output "--scratch"
