#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# NCCL where every rank has a GPU; elsewhere one message that says what is missing.
set -euo pipefail

fail() {
  echo "FAILED: $1" >&2
  sed 's/^/    | /' output >&2
  exit 1
}

if mpirun -n 2 "$WHORL_BIN"/whorl-allreduce --algorithms nccl,mpi --bytes 64K:1M --repeat 3 > output 2>&1; then
  grep -q "^ *nccl" output || fail "there is no row of NCCL"
else
  grep -q 'no all-reduce algorithm is called "nccl"\|has no GPU that CUDA can use\|would share the GPU' output || fail "the cause is missing"
  [ "$(grep -c 'whorl-allreduce: error' output)" -eq 1 ] || fail "there should be one message"
fi
