#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Asked to stop by a signal to any rank, or by the end of its walltime, a training stops within an epoch with a checkpoint and status 75;
# the same command goes on.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

digest_of() { grep -o '"weights_digest": "[0-9a-f]*"' "$1/run.json" || fail "$1/run.json has no digest"; }

# train RANKS RUN [FLAGS...]: in the background; $job is its process.
train() {
  local ranks=$1 run=$2
  shift 2
  mpirun -n "$ranks" "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run "$run" --train.batch=8 --train.evaluate_every=0 \
    --train.epochs=24 "$@" > output 2>&1 &
  job=$!
  trap 'kill -9 "$job" 2> /dev/null || true' EXIT
}

# expect_stop TEXT: the job ends with status 75.
expect_stop() {
  local status=0
  wait "$job" || status=$?
  [ "$status" -eq 75 ] || fail "status $status instead of 75"
  expect_in_output "stopped when asked to, with a checkpoint of step"
}

# wait_for_epochs RUN COUNT
wait_for_epochs() {
  for _ in $(seq $((600 * slowness))); do
    [ ! -e "$1/metrics.csv" ] || [ "$(wc -l < "$1/metrics.csv")" -le "$2" ] || return 0
    sleep 0.05
  done
  fail "no $2 epochs within 30 s"
}

make_dataset flowers.h5 40
write_job job.ini
train 2 undisturbed
wait "$job" || fail "training"

# USR1 to mpirun, which passes it on; TERM to the last rank alone; the end of the walltime; each time on other ranks.
train 2 stopped
wait_for_epochs stopped 3
kill -USR1 "$job"
expect_stop
train 3 stopped
wait_for_epochs stopped 8
kill -TERM "$(pgrep -P "$job" | tail -n 1)"
expect_stop
train 1 stopped --walltime 0:00:00.01
expect_stop
# A rank that was not asked itself, as srun ends it when another has ended.
train 2 stopped --walltime 0:00:00.01
until mapfile -t ranks < <(pgrep -P "$job") && [ ${#ranks[@]} -eq 2 ]; do kill -0 "$job" || fail "training ended"; done
until grep -qs "stopped when asked to" output; do kill -0 "$job" || fail "training ended"; done
kill -TERM "${ranks[@]}" || true
expect_stop
train 2 stopped
wait "$job" || fail "going on to the end"
[ "$(digest_of stopped)" = "$(digest_of undisturbed)" ] || fail "four stops changed the weights"
cmp -s <(cut -d, -f1-7 stopped/metrics.csv) <(cut -d, -f1-7 undisturbed/metrics.csv) || fail "four stops changed the metrics"
[ "$(grep -c '"from_step"' stopped/run.json)" -eq 5 ] || fail "run.json should tell of five starts"

expect_failure 2 mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --walltime soon
expect_in_output "--walltime = 'soon', but it must be minutes, or H:MM:SS"
