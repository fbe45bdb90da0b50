#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Training on two hosts gives the weights that one rank gives, whatever moves the sums on.
set -euo pipefail
# shellcheck source=tests/e2e/hosts/common.sh
. "$WHORL_TESTS/e2e/hosts/common.sh"

digest_of() { grep -o '"weights_digest": "[0-9a-f]*"' "$1/run.json" || fail "run.json has no digest"; }

make_dataset flowers.h5 20
write_job job.ini
job=("$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --train.batch=40 --parallel.bucket_bytes=100000)
mpirun -n 1 "${job[@]}" --run one > output 2>&1 || fail "training on one rank"
for progress in polling thread; do
  on_hosts -l 500:1000 mpirun -n 4 "${job[@]}" --run "hosts_$progress" --parallel.progress=$progress || fail "training on two hosts"
  expect_in_output "hierarchical"
  [ "$(digest_of "hosts_$progress")" = "$(digest_of one)" ] || fail "two hosts give other weights than one rank"
done
