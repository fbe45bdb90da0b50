#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The same job on any number of ranks, with shares as uneven as they come, gives the same weights, bit for bit; so does every all-reduce.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1

# train RUN RANKS [FLAGS...]: five shards of eight pictures a step.
train() {
  local run=$1 ranks=$2
  shift 2
  mpirun -n "$ranks" "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run "$run" --train.batch=40 "$@" > output 2>&1 ||
    fail "training on $ranks ranks"
}

digest_of() { grep -o '"weights_digest": "[0-9a-f]*"' "$1/run.json" || fail "run.json has no digest"; }

make_dataset flowers.h5 40
write_job job.ini
train one 1
for ranks in 2 3 4 8; do
  train "ranks$ranks" "$ranks"
  [ "$(digest_of "ranks$ranks")" = "$(digest_of one)" ] || fail "$ranks ranks give other weights than one"
  cmp -s <(cut -d, -f1-7 "ranks$ranks/metrics.csv") <(cut -d, -f1-7 one/metrics.csv) || fail "$ranks ranks report other losses than one"
done
for algorithm in ring shared hierarchical mpi central; do
  train "$algorithm" 3 --parallel.all_reduce=$algorithm
  [ "$(digest_of "$algorithm")" = "$(digest_of one)" ] || fail "$algorithm gives other weights"
done
train seed 2 --train.seed=2
[ "$(digest_of seed)" != "$(digest_of one)" ] || fail "the digest does not tell weights apart"
