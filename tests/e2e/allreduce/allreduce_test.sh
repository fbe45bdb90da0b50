#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# whorl-allreduce: what it prints and writes, and what it says to mistakes.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

compare=(mpirun -n 2 "$WHORL_BIN"/whorl-allreduce)
"${compare[@]}" --algorithms auto,shared,ring,hierarchical,central,mpi --bytes 4K:64K:4 --repeat 3 --json results.json > output 2>&1 ||
  fail "a comparison of all algorithms"
expect_in_output "2 ranks on 1 host"
# Computed and counted: a ring of two sends half the data twice; in shared memory a rank stores its half once.
grep -qE '^ *65536 ring .* 2 / 65536 +2 / 65536' output || fail "the cost of ring"
grep -qE '^ *65536 shared .* 2 / 32768 +2 / 32768' output || fail "the cost of shared"
grep -qE '^ *65536 auto \((shared|ring|mpi)\)' output || fail "what auto came to"
[ "$(grep -c '"seconds_median"' results.json)" -eq 18 ] || fail "results.json should hold three sizes of six algorithms"

"${compare[@]}" --type int64 --algorithms ring --bytes 1000 --repeat 1 > output 2>&1 || fail "sums of int64"
expect_in_output "int64"

expect_failure 2 "${compare[@]}" --algorithms rings --bytes 4K
expect_in_output "there are: ring, shared, hierarchical, mpi, central"
expect_failure 2 "${compare[@]}" --type float16
expect_in_output "float32 and int64"
expect_failure 2 "${compare[@]}" --bytes 4:2
expect_failure 2 "${compare[@]}" --repeat 0
