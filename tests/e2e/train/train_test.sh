#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# From drawn pictures to an evaluated network; evaluation by any number of ranks, and the run repeated from its own job.ini.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

make_dataset flowers.h5 40
write_job job.ini

mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run first --evaluate.tta=mirror > output 2>&1 || fail "training"
for text in "epoch 2 of 2" "test accuracy" "bound by" "imbalance" "run folder      first"; do expect_in_output "$text"; done
for file in job.ini run.json metrics.csv timing.json weights.h5 verdict.txt; do
  [ -s "first/$file" ] || fail "the run folder lacks $file"
done
[ "$(wc -l < first/metrics.csv)" -eq 3 ] || fail "metrics.csv should have a line for each of two epochs"
grep -qx "tta = mirror" first/job.ini || fail "a flag is missing from the resolved job"
[ -z "$(find first -name '.*')" ] || fail "left behind: $(find first -name '.*')"

accuracy=$(grep -o 'test accuracy *[0-9.]* %' first/verdict.txt | grep -o '[0-9.]*')
for ranks in 1 2 3; do
  mpirun -n "$ranks" "$WHORL_BIN"/whorl-eval --run first --json "eval$ranks.json" > output 2>&1 || fail "evaluation by $ranks ranks"
  expect_in_output "top-1 $accuracy %"
  cmp -s eval1.json "eval$ranks.json" || fail "$ranks ranks evaluate to another result than 1"
done
"$WHORL_BIN"/whorl-eval --run first --data flowers.h5 --tta none > output 2>&1 || fail "evaluation without mpirun"
expect_in_output "test-time augmentation: none"

# The resolved job, data included, repeats the run; on as many ranks it repeats every figure but times.
mpirun -n 2 "$WHORL_BIN"/whorl-train --job first/job.ini --run again > output 2>&1 || fail "repeating a recorded run"
cmp -s first/job.ini again/job.ini || fail "the repeated run resolved to another job"

# Without --run, the folder is named after job and time.
mpirun -n 1 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --train.epochs=0.1 > output 2>&1 || fail "a tenth of an epoch"
[ -s runs/job-20*/weights.h5 ] || fail "no run folder under runs/"

# More ranks than shards of a batch.
mpirun -n 4 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run many --train.batch=16 --train.epochs=0.5 > output 2>&1 ||
  fail "more ranks than shards"

# A damaged record.
sed -i 's/"shard": [0-9]*/"shard": 1e30/' many/run.json
expect_failure 1 "$WHORL_BIN"/whorl-eval --run many
expect_in_output "many/run.json is damaged: a shard of 1e+30 pictures"
