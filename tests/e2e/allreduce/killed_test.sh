#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A rank killed in the middle of a sum ends the job within 20 s, and the message names it.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

pid_of_rank() {  # pid_of_rank RANK, of the mpirun in $job
  local pid
  for pid in $(pgrep -P "$job"); do
    if grep -qzx "OMPI_COMM_WORLD_RANK=$1" "/proc/$pid/environ"; then echo "$pid"; fi
  done
}

for algorithm in ring shared hierarchical central mpi; do
  mpirun -n 3 --oversubscribe "$WHORL_BIN"/whorl-allreduce --algorithms "$algorithm" --bytes 4M --repeat 1000000 > output 2>&1 &
  job=$!
  trap 'kill -9 "$job" 2> /dev/null || true' EXIT
  for _ in $(seq $((200 * slowness))); do
    ! grep -q "3 ranks on 1 host" output || break
    sleep 0.1
  done
  sleep 0.5  # sums are being timed by now
  kill -9 "$(pid_of_rank 1)"
  start=$SECONDS status=0
  while kill -0 "$job" 2> /dev/null; do
    [ $((SECONDS - start)) -lt $((20 * slowness)) ] || fail "$algorithm: the job still runs after 20 s"
    sleep 0.1
  done
  wait "$job" || status=$?
  [ "$status" -ne 0 ] || fail "$algorithm: the job ended as if all were well"
  grep -q "process rank 1 with PID" output || fail "$algorithm: the message does not name rank 1"
done
