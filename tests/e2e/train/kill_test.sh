#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# kill_test.sh [TRIALS [SEED]]: training is killed (kill -9 of one rank or of all) at a random moment, while checkpoints are written many
# times a second, and goes on with another number of ranks; it ends with the weights and metrics of an undisturbed one, and no
# checkpoint is ever unreadable. By hand, with more trials: WHORL_BIN=... WHORL_TESTS=tests tests/support/in_fresh_folder.sh THIS 50
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"
trials=${1:-4}
RANDOM=${2:-1}

digest_of() { grep -o '"weights_digest": "[0-9a-f]*"' "$1/run.json" || fail "$1/run.json has no digest"; }

# train RANKS RUN: in the background; $job is its process.
train() {
  mpirun -n "$1" "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run "$2" --train.epochs=30 --checkpoint.seconds=0.01 \
    --checkpoint.keep=3 > output 2>&1 &
  job=$!
  trap 'kill -9 "$job" 2> /dev/null || true' EXIT
}

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

make_dataset flowers.h5 40
write_job job.ini
start=$(milliseconds)
train 2 undisturbed
wait "$job" || fail "training"
duration=$(($(milliseconds) - start))

# kill_training: after a random part of the undisturbed time, all ranks or a random one.
kill_training() {
  local ranks
  sleep "$(printf '0.%03d' $((RANDOM % 1000)) | awk -v whole=$duration '{ print $1 * whole / 1000 }')"
  mapfile -t ranks < <(pgrep -P "$job" -f whorl-train)
  [ ${#ranks[@]} -gt 0 ] || return 0
  if [ $((RANDOM % 2)) -eq 0 ]; then ranks=("${ranks[RANDOM % ${#ranks[@]}]}"); fi
  kill -9 "${ranks[@]}" 2> /dev/null || true
  # Open MPI 4.1's mpirun at times waits for ever for ranks that died while they started.
  for _ in $(seq $((150 * slowness))); do
    kill -0 "$job" 2> /dev/null || return 0
    sleep 0.1
  done
  kill -9 "$job"
}

killed=0 resumed=0
while [ $killed -lt "$trials" ]; do
  rm -rf run
  train $((RANDOM % 4 + 1)) run
  kill_training
  if wait "$job" || [ -e run/verdict.txt ]; then continue; fi  # it had ended before
  killed=$((killed + 1))
  ranks=$((RANDOM % 4 + 1))
  train $ranks run
  wait "$job" || fail "kill $killed: going on with $ranks ranks"
  if grep -q "is damaged" output; then fail "kill $killed: an unreadable checkpoint"; fi
  if grep -q "goes on from" output; then resumed=$((resumed + 1)); fi
  [ "$(digest_of run)" = "$(digest_of undisturbed)" ] || fail "kill $killed: $ranks ranks end with other weights"
  cmp -s <(cut -d, -f1-7 run/metrics.csv) <(cut -d, -f1-7 undisturbed/metrics.csv) || fail "kill $killed: other metrics"
  [ -z "$(find run -name '.draft-*')" ] || fail "kill $killed: left behind: $(find run -name '.draft-*')"
done
echo "killed $killed times; $resumed times went on from a checkpoint, else from the beginning; always ended as if undisturbed"
