#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A rank that is stopped while others are timed ends the study in bounded time, with a message that names it; the study can be resumed.
set -euo pipefail

fail() {
  echo "FAILED: $1" >&2
  tail -n 40 output | sed 's/^/    | /' >&2
  exit 1
}

"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 40 --size 24 > output 2>&1
"$WHORL_BIN"/whorl-ingest --input flowers.tar --output flowers.h5 --size 16 > output 2>&1
printf '[train]\nbatch = 20\nshard = 5\n' > small.ini
printf '[study]\nranks = 1\nscaling = strong\n[train]\njob = small.ini\ndata = flowers.h5\nsteps = 1000000\n' > long.study

mpirun -n 2 "$WHORL_BIN"/whorl-scale --study long.study --run study > output 2>&1 &
job=$!
trap 'kill -9 "$job" 2> /dev/null || true' EXIT
until [ -s study/rows.csv ]; do kill -0 "$job" || fail "the study ended"; sleep 0.1; done
sleep 2  # rank 1 is asleep, and has said so
rank=$(pgrep -P "$job" | sed -n 2p)
trap 'kill -9 "$job" "$rank" 2> /dev/null || true' EXIT
kill -STOP "$rank"
for _ in $(seq 60); do
  kill -0 "$job" 2> /dev/null || break
  sleep 1
done
if kill -0 "$job" 2> /dev/null; then fail "the study waits for a stopped rank"; fi
if wait "$job"; then fail "the study ended as if all were well"; fi
grep -qE "error: rank 1 \(host $(hostname -s)\) has not answered for [0-9]+ s .*waiting for the ranks that are timed" output ||
  fail "the message does not name rank 1 and its phase"
