#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Two hosts, over a fast and over a slow link: every all-reduce sums exactly, and each knows where it may run.
set -euo pipefail
# shellcheck source=tests/e2e/hosts/common.sh
. "$WHORL_TESTS/e2e/hosts/common.sh"

for link in "" "-l 500:1000"; do
  for type in float32 int64; do
    # shellcheck disable=SC2086  # an option and its value
    on_hosts $link mpirun -n 4 "$WHORL_BIN"/whorl-allreduce --algorithms auto,hierarchical,ring,mpi,central --type $type \
      --bytes 1K:256K:16 --repeat 2 || fail "all-reduce of $type over two hosts, link '$link'"
    expect_in_output "4 ranks on 2 hosts"
    # Four sums in each direction between nodes, however many ranks they have: 2 steps on the node, 2 between.
    grep -qE '^ *16384 hierarchical .* 4 / 16384 +4 / 16384' output || fail "the cost of hierarchical is not what it should be"
  done
done

# Three ranks on one host and one on the other: one owner on each.
on_hosts -s 3 mpirun -n 4 "$WHORL_BIN"/whorl-allreduce --algorithms hierarchical --bytes 16K --repeat 2 || fail "unequal hosts"
expect_in_output "hierarchical"

status=0
on_hosts mpirun -n 4 "$WHORL_BIN"/whorl-allreduce --algorithms shared --bytes 16K || status=$?
[ "$status" -eq 2 ] || fail "status $status instead of 2 of shared memory between hosts"
expect_in_output 'choose "hierarchical"'
