#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A training that is asked to stop while it evaluates an epoch stops there, and makes up for that evaluation when it goes on: metrics.csv
# is that of an undisturbed one.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

# train RUN [FLAGS...]: in the background; $job is its process. An epoch has 2 steps; nearly all of its time goes into the evaluation,
# which looks many times whether to stop.
train() {
  local run=$1
  shift
  mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run "$run" --train.batch=16 --train.shard=2 --train.epochs=40 \
    "$@" > output 2>&1 &
  job=$!
  trap 'kill -9 "$job" 2> /dev/null || true' EXIT
}

expect_stop() {
  local status=0
  wait "$job" || status=$?
  [ "$status" -eq 75 ] || fail "status $status instead of 75"
}

lines() { if [ -e "$1/metrics.csv" ]; then wc -l < "$1/metrics.csv"; else echo 0; fi; }
lacks_last_test() { tail -n 1 "$1/metrics.csv" | grep -q ',,,'; }

# Eight training pictures of each class, all others for testing.
"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 300 --size 24 > /dev/null 2>&1
mkdir -p pictures/train
tar -xf flowers.tar -C pictures
mv pictures/synth_flowers pictures/test
for class in pictures/test/*; do
  mkdir "pictures/train/${class##*/}"
  files=("$class"/*)
  mv "${files[@]:0:8}" "pictures/train/${class##*/}"
done
"$WHORL_BIN"/whorl-ingest --input pictures --output flowers.h5 --size 16 > output 2>&1 || fail "ingest"
write_job job.ini
train undisturbed
wait "$job" || fail "training"

# The signal may fall into one of the few steps instead, after the last of which the run stops at the same place: so three times, at
# any moment of an epoch.
stopped=0
for _ in 1 2 3 4 5 6 7 8; do
  before=$(lines stopped)
  train stopped
  until [ "$(lines stopped)" -gt "$before" ]; do kill -0 "$job" || fail "training ended"; sleep 0.02; done
  sleep 0.$((RANDOM % 2))$((RANDOM % 10))
  kill -USR1 "$job"
  expect_stop
  if lacks_last_test stopped; then stopped=$((stopped + 1)); fi
  [ $stopped -lt 3 ] || break
done
[ $stopped -eq 3 ] || fail "only $stopped of 8 stops fell into an evaluation"

# Stopped again before it has made up for the last of them, it comes no further.
step=$(grep -o 'checkpoint of step [0-9]*' output)
train stopped --walltime 0:00:00.01
expect_stop
expect_in_output "$step;"
lacks_last_test stopped || fail "an evaluation within no time"

train stopped
wait "$job" || fail "going on to the end"
cmp -s <(cut -d, -f1-7 stopped/metrics.csv) <(cut -d, -f1-7 undisturbed/metrics.csv) || fail "a stopped evaluation changed the metrics"
