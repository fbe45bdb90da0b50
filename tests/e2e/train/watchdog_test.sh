#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A rank that is killed or stopped ends the job in bounded time; the message names it, its host and what it was doing, and the others.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

# lose SIGNAL RANK: sends the signal to that rank within a training of three; the job fails within 30 s and nothing of it is left.
lose() {
  local run=$1-$2 pid status=0 start
  mpirun -n 3 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run "$run" --train.epochs=10000 --train.evaluate_every=0 \
    --checkpoint.epochs=0 --parallel.watchdog=5 > output 2>&1 &
  job=$!
  trap 'kill -9 "$job" 2> /dev/null || true' EXIT
  until [ -s "$run/metrics.csv" ]; do kill -0 "$job" || fail "training ended"; sleep 0.1; done
  sleep 1  # the others have heard of its phase
  pid=$(pgrep -P "$job" | sed -n "$(($2 + 1))p")
  start=$SECONDS
  kill -"$1" "$pid"
  wait "$job" || status=$?
  [ "$status" -ne 0 ] || fail "the job ended as if all were well"
  [ $((SECONDS - start)) -lt $((30 * slowness)) ] || fail "it took $((SECONDS - start)) s to end the job"
  while [ -e "/proc/$pid" ] && ! grep -q "^State:.Z" "/proc/$pid/status"; do
    [ $((SECONDS - start)) -lt $((30 * slowness)) ] || fail "rank $2 is still there"
    sleep 0.2
  done
  grep -qE "error: rank $2 \(host $(hostname -s)\) $3; its last phase: [a-z].*, step [0-9]+\. This ends the job" output ||
    fail "the message does not name rank $2, host and phase"
  grep -qE "^  ranks? [0-9, ]*$(((($2 + 1)) % 3))[0-9, ]*: [a-z]" output || fail "the phases of others are missing"
  [ "$(grep -c "This ends the job" output)" -eq 1 ] || fail "there should be one message"
}

make_dataset flowers.h5 40
write_job job.ini
lose KILL 1 "is gone"
lose KILL 0 "is gone"
lose STOP 2 "has not answered for [5-9] s .*"
lose STOP 0 "has not answered for [5-9] s .*"
