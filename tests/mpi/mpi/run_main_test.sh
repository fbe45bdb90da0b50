#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# run_main_test.sh PROGRAM: how a whole job ends, seen from outside: exit status, time, and the one message.
set -euo pipefail

program=$1
failures=0

complain() {
  echo "FAILED: $1" >&2
  sed 's/^/    | /' errors >&2
  failures=$((failures + 1))
}

# expect_end WAY RANKS STATUS MESSAGE: the message must appear exactly once, as a whole line.
expect_end() {
  local way=$1 ranks=$2 expected=$3 message=$4 status=0 lines
  timeout --kill-after=2 20 mpirun -n "$ranks" "$program" "$way" > output 2> errors || status=$?
  [ "$status" -ne 124 ] || complain "$way with $ranks ranks hangs"
  [ "$status" -eq "$expected" ] || complain "$way with $ranks ranks: exit status $status, expected $expected"
  lines=$(grep -c '^ending-program: ' errors || true)
  if [ -z "$message" ]; then
    [ "$lines" -eq 0 ] || complain "$way with $ranks ranks prints an error"
  else
    [ "$lines" -eq 1 ] || complain "$way with $ranks ranks prints $lines messages, expected 1"
    grep -qxE "$message" errors || complain "$way with $ranks ranks does not say: $message"
  fi
}

host=$(hostname | cut -d. -f1)
for ranks in 1 3; do
  expect_end well "$ranks" 0 ''
  expect_end status "$ranks" 3 ''
  expect_end usage "$ranks" 2 'ending-program: error: no option named petal'
  expect_end collective "$ranks" 1 'ending-program: error: no pictures found'
done
expect_end one-rank 1 1 'ending-program: error: cannot decode rose.jpg'
expect_end one-rank 3 1 "ending-program: error on rank 2 \\(host $host\\): cannot decode rose.jpg"
expect_end memory 2 1 "ending-program: error on rank 1 \\(host $host\\): out of memory"
expect_end foreign 2 1 "ending-program: error on rank 1 \\(host $host\\): unknown exception"

[ "$failures" -eq 0 ] && echo "all endings as expected"
