#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What goes wrong in the middle of a training ends the whole job within 20 s, with a message, and leaves no weights.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

# start_training RUN [FLAGS...]: goes on in the background; returns once an epoch is recorded. $job is its process.
start_training() {
  local run=$1
  shift
  mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run "$run" --train.epochs=10000 --train.evaluate_every=0 "$@" \
    > output 2>&1 &
  job=$!
  trap 'kill -9 "$job" 2> /dev/null || true' EXIT
  for _ in $(seq $((300 * slowness))); do
    [ ! -s "$run/metrics.csv" ] || return 0
    kill -0 "$job" 2> /dev/null || fail "training ended before its first epoch"
    sleep 0.1
  done
  fail "no epoch within 30 s"
}

# expect_end RUN: the job fails within 20 s and leaves no weights.
expect_end() {
  local status=0 start=$SECONDS
  while kill -0 "$job" 2> /dev/null; do
    [ $((SECONDS - start)) -lt $((20 * slowness)) ] || fail "the job still runs after 20 s"
    sleep 0.1
  done
  wait "$job" || status=$?
  [ "$status" -ne 0 ] || fail "the job ended as if all were well"
  [ ! -e "$1/weights.h5" ] || fail "there are weights"
}

make_dataset flowers.h5 40
write_job job.ini

start_training killed
kill -9 "$(pgrep -P "$job" | tail -n 1)"
expect_end killed

start_training truncated
truncate -s 20000 flowers.h5
expect_end truncated
expect_in_output "error on rank"
expect_in_output "flowers.h5"

# A label beyond all classes: every rank reads it, one message tells of it.
rm flowers.h5
make_dataset flowers.h5 40
place=$(h5dump -p -H -d /train/labels flowers.h5 2> /dev/null | sed -n 's/.*OFFSET \([0-9]*\).*/\1/p')
[ -n "$place" ] || fail "where do the labels lie?"
printf '\x7f' | dd of=flowers.h5 bs=1 seek="$place" conv=notrunc status=none
expect_failure 1 mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run mislabelled
expect_in_output "train/labels of sample 0 is 127, but there are 5 classes; the file is damaged"
[ "$(grep -c 'whorl-train: error' output)" -eq 1 ] || fail "there should be one message"

rm flowers.h5
make_dataset flowers.h5 40
expect_failure 1 mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run diverged --train.epochs=50 \
  --optimizer.learning_rate=1e6 --optimizer.weight_decay=10
expect_in_output "training has diverged: in epoch"
[ "$(grep -c 'whorl-train: error' output)" -eq 1 ] || fail "there should be one message"
[ ! -e diverged/weights.h5 ] || fail "there are weights"
