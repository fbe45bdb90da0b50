#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# whorl-doctor on two hosts: what carries the messages, a slow link, a folder that only one host has, and a link that hangs.
set -euo pipefail
# shellcheck source=tests/e2e/hosts/common.sh
. "$WHORL_TESTS/e2e/hosts/common.sh"

doctor=$WHORL_BIN/whorl-doctor
expect_words() { tr -s ' \n' ' ' < output | grep -qF -- "$1" || fail "the output lacks: $1"; }

on_hosts mpirun -n 4 "$doctor" || fail "two hosts"
expect_words "4 ranks on 2 nodes (host1, host2)"
expect_words "carried by eth0"
expect_words "by shared memory"
expect_words "the slowest of 2 nodes at once"

on_hosts mpirun -n 4 --mca btl self,tcp "$doctor" || fail "two hosts without shared memory"
expect_words "carried by lo on host1, not by shared memory"

on_hosts -l 500:100 mpirun -n 4 "$doctor" || fail "a slow link"
expect_words "carried by slow0 -> slower than Ethernet of 1 Gbit/s"

# Each host has a /dev/shm of its own.
status=0
on_hosts mpirun -n 4 "$doctor" --scratch /dev/shm || status=$?
[ $status -eq 1 ] || fail "status $status instead of 1 of a folder that is not shared"
expect_words "rank 2 (host2) does not see what rank 0 (host1) makes in /dev/shm"

# A megabyte takes a quarter of a minute.
status=0 start=$SECONDS
on_hosts -l 500:100 bash -c "tc -n host2 qdisc add dev slow0 root tbf rate 500kbit burst 9k latency 50ms && mpirun -n 4 '$doctor' --limit 6" ||
  status=$?
[ $status -ne 0 ] || fail "a link that hangs goes unnoticed"
[ $((SECONDS - start)) -lt 60 ] || fail "it took $((SECONDS - start)) s"
grep -qE 'not done within 6 s \(--limit\); at "between nodes": exchanging messages with rank [02]$' output ||
  fail "the pair that hangs is not named"
