#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bench/scaling.sh DATASET [ROUNDS] [OPTIONS OF whorl-train]: what a second rank on a second core gives a training of air94 with the same
# batch, against what it gives fused multiply-adds alone, which is the most that it can. In turns, so that a machine that slows down slows
# all. Prints images/s in training and both speed-ups; at the end the medians.
# The programs are taken from WHORL_BIN (default: build/release/bin); runs are written to TMPDIR (default: /tmp).
set -euo pipefail

[ $# -ge 1 ] || { sed -n '3,6s/^# //p' "$0" >&2; exit 2; }
data=$1
rounds=${2:-5}
shift $(($# < 2 ? $# : 2))
here=$(cd "$(dirname "$0")/.." && pwd)
bin=${WHORL_BIN:-$here/build/release/bin}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fma() {  # RANKS -> floats/s
  mpirun -n "$1" --bind-to core "$bin/bench-step" --network petal --seconds 1 --benchmark_filter=^fma --benchmark_format=json 2> /dev/null |
    awk -F'[:,]' '/"items_per_second"/ { print $2 + 0 }'
}
train() {  # RANKS OPTIONS... -> images/s
  rm -rf "$folder/run"
  mpirun -n "$1" --bind-to core "$bin/whorl-train" --job "$here/jobs/cifar10-94.ini" --data "$data" --run "$folder/run" --train.epochs=0.4 \
    --train.evaluate_every=0 --checkpoint.epochs=0 --evaluate.tta=none "${@:2}" 2>&1 | awk '$1 == "speed" { sub(",", "", $2); print $2 + 0 }'
}
median() { sort -g | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int((NR + 2) / 2)]) / 2 }'; }

for round in $(seq "$rounds"); do
  fma_1=$(fma 1) train_1=$(train 1 "$@") fma_2=$(fma 2) train_2=$(train 2 "$@")
  awk -v f1="$fma_1" -v f2="$fma_2" -v t1="$train_1" -v t2="$train_2" -v r="$round" -v folder="$folder" 'BEGIN {
    printf "round %d: training %.0f images/s on 1 rank, %.0f on 2, %.2fx; multiply-adds %.2fx; ratio %.3f\n", r, t1, t2, t2 / t1, f2 / f1, t2 / t1 / (f2 / f1)
    print t2 / t1 >> (folder "/train"); print f2 / f1 >> (folder "/fma"); print t2 / t1 / (f2 / f1) >> (folder "/ratio") }'
done
printf 'median of %d: training %.2fx, multiply-adds %.2fx, ratio %.3f\n' "$rounds" "$(median < "$folder/train")" "$(median < "$folder/fma")" \
  "$(median < "$folder/ratio")"
