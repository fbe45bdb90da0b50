#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A rank that is killed or stopped ends the job in bounded time; the message names it, its host and what it was doing, and the others.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

# train RUN, evaluate: in the background, three ranks for many seconds; $job is its process. They return once all are at work.
train() {
  mpirun -n 3 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run "$1" --train.epochs=10000 --train.evaluate_every=0 \
    --checkpoint.epochs=0 --parallel.watchdog=5 > output 2>&1 &
  job=$!
  until [ -s "$1/metrics.csv" ]; do kill -0 "$job" || fail "training ended"; sleep 0.1; done
  sleep 1  # the others have heard of the phase
}
evaluate() {
  mpirun -n 3 "$WHORL_BIN"/whorl-eval --run short --data many.h5 --tta airbench > output 2>&1 &
  job=$!
  sleep $((2 * slowness))
  kill -0 "$job" || fail "the evaluation ended"
}

# lose SIGNAL RANK FATE PHASE: sends the signal to that rank of $job, which fails within 30 s, and nothing of it is left.
lose() {
  local pid status=0 start=$SECONDS
  trap 'kill -9 "$job" 2> /dev/null || true' EXIT
  pid=$(pgrep -P "$job" | sed -n "$(($2 + 1))p")
  kill -"$1" "$pid"
  wait "$job" || status=$?
  [ "$status" -ne 0 ] || fail "the job ended as if all were well"
  [ $((SECONDS - start)) -lt $((30 * slowness)) ] || fail "it took $((SECONDS - start)) s to end the job"
  while [ -e "/proc/$pid" ] && ! grep -q "^State:.Z" "/proc/$pid/status"; do
    [ $((SECONDS - start)) -lt $((30 * slowness)) ] || fail "rank $2 is still there"
    sleep 0.2
  done
  grep -qE "error: rank $2 \(host $(hostname -s)\) $3; its last phase: $4\. This ends the job" output ||
    fail "the message does not name rank $2, host and phase"
  for other in 0 1 2; do
    [ "$other" -eq "$2" ] || grep -qE "^  ranks? ([0-9]+, )*$other(, [0-9]+)*: [a-z]" output || fail "the phase of rank $other is missing"
  done
  [ "$(grep -c "This ends the job" output)" -eq 1 ] || fail "there should be one message"
}

make_dataset flowers.h5 40
write_job job.ini
lose_training() {  # lose_training SIGNAL RANK FATE
  train "$1-$2"
  lose "$@" "[a-z].*, step [0-9]+"
}
lose_training KILL 1 "is gone"
lose_training KILL 0 "is gone"
lose_training STOP 2 "has not answered for [5-9] s .*"
lose_training STOP 0 "has not answered for [5-9] s .*"

mpirun -n 2 "$WHORL_BIN"/whorl-ingest --input flowers.tar --output few.h5 --size 64 > output 2>&1 || fail "ingest"
mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data few.h5 --run short --train.epochs=1 --parallel.watchdog=5 > output 2>&1 ||
  fail "a short training"
"$WHORL_BIN"/whorl-synth --output many.tar --per-class 3000 --size 16 > output 2>&1 || fail "drawing"
mpirun -n 2 "$WHORL_BIN"/whorl-ingest --input many.tar --output many.h5 --size 64 > output 2>&1 || fail "ingest"
evaluate
lose STOP 1 "has not answered for [5-9] s .*" "evaluation"
