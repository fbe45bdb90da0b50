#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# full_disk_test.sh PROGRAM: what a person sees when the disk is full: one sentence with the cause, a failing job, no hang.
# The disk is 2 MB of memory, mounted where only this script sees it.
set -euo pipefail

program=$1
mkdir disk
if [ "${2:-}" != mounted ]; then
  if ! unshare --mount --map-root-user mount -t tmpfs -o size=2m tmpfs disk 2> reason; then
    echo "skipped: a small disk cannot be mounted here ($(head -n 1 reason))"
    exit 77
  fi
  rmdir disk
  exec unshare --mount --map-root-user "$0" "$program" mounted
fi
mount -t tmpfs -o size=2m tmpfs disk

failures=0

# expect RANKS WAY ROWS STATUS MESSAGE (extended regular expression of one whole line)
expect() {
  local status=0
  rm -f disk/*
  timeout --kill-after=2 20 mpirun -n "$1" "$program" "$2" "$3" > output 2>&1 || status=$?
  if [ "$status" -ne "$4" ] || { [ -n "$5" ] && ! grep -qxE "$5" output; }; then
    echo "FAILED: $2, $1 ranks, $3 rows: exit status $status (124: hangs), expected $4 and the line: $5" >&2
    sed 's/^/    | /' output >&2
    failures=$((failures + 1))
  fi
}

no_room='filling-program: error: cannot reserve 5.9 MB for disk/full.h5: No space left on device'
expect 3 collective 5 0 ''
expect 3 collective 30 1 "$no_room"
expect 3 independent 30 1 "$no_room"
expect 1 collective 90 1 "$no_room"
# Metadata is not reserved; every rank that fails says so.
expect 1 attributes 3 1 'filling-program: error: cannot .* disk/full\.h5 \(No space left on device\): .*'
expect 3 attributes 3 1 'filling-program: error on rank . \(host .*\): cannot .* disk/full\.h5 \(No space left on device\): .*'

[ "$failures" -eq 0 ] && echo "a full disk is reported every time"
