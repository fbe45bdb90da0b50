#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# verify.sh BUNDLE RESULT.json [CIFAR10.h5 [SEEDS]]: on a host with a GPU, shows that the GPU path computes what it should. BUNDLE is
# what `jobs/bundle.sh BUNDLE build/release/bin unit_nn_gpu mpi_train_gpu bench-cuda-kernels` makes. Parity with the reference, losses
# of 50 steps included, and of steps that stay on the GPU with the host's, both under compute-sanitizer too where that is installed;
# every kernel's bandwidth (RESULT-kernels.json); equal weights of equal runs and of two ranks that share the GPU; accuracy and speed in
# every precision on drawn flowers. With a CIFAR-10 dataset, also accuracy and seconds of jobs/cifar10-94.ini over SEEDS (20) seeds, cold
# from the start of the process, and bench/peers/torch_airbench.py beside it where PYTHON (python3) has torch and h5py. The last line says
# whether all is well; RESULT.json has every step. Exit status 77: there is no GPU.
set -euo pipefail

[ $# -ge 2 ] && [ $# -le 4 ] || { sed -n '3,10s/^# //p' "$0" >&2; exit 2; }
bin=$(cd "$1" && pwd)/bin
result=$(realpath "$2")
cifar=${3:+$(realpath "$3")}
seeds=${4:-20}
root=$(cd "$(dirname "$0")/../.." && pwd)
jobs=$root/jobs
nvidia-smi > /dev/null 2>&1 || { echo "skipped: there is no GPU here (nvidia-smi fails)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1

steps='' failures=0
note() {  # note NAME true|false DETAIL
  echo "$1: $([ "$2" = true ] && echo passed || echo FAILED) ${3:-}"
  steps+="${steps:+,}
    {\"step\": \"$1\", \"passed\": $2, \"detail\": \"${3:-}\"}"
  [ "$2" = true ] || failures=$((failures + 1))
}
check() {  # check NAME COMMAND...: notes whether the command succeeds, shows its end if not
  local name=$1 start=$SECONDS
  shift
  if "$@" > "$name.log" 2>&1; then
    note "$name" true "$((SECONDS - start)) s"
  else
    tail -n 30 "$name.log"
    note "$name" false "$((SECONDS - start)) s"
  fi
}
check_equal() {  # check_equal NAME A B
  if [ -n "$2" ] && [ "$2" = "$3" ]; then note "$1" true "$2"; else note "$1" false "$2 and $3"; fi
}
of_run() { sed -n "s/.*\"$2\": \"\\{0,1\\}\\([^\",]*\\).*/\\1/p" "$1/run.json" | head -n 1; }  # of_run RUN KEY
train() {  # train RUN RANKS FLAGS...
  local run=$1 ranks=$2
  shift 2
  check "train-$run" "$bin/mpirun" -n "$ranks" "$bin/whorl-train" --job "$jobs/quickstart.ini" --data flowers.h5 --run "$run" \
    --device gpu --train.epochs=3 "$@"
}

without_skips() { "$@" | tee gtest.log && ! grep -q SKIPPED gtest.log; }  # a GPU that CUDA cannot use
check parity without_skips "$bin/unit_nn_gpu"
export WHORL_TEST_RANKS=1
check steps-on-the-gpu without_skips "$bin/mpi_train_gpu"
if command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck initcheck; do
    check "$tool" compute-sanitizer --tool "$tool" --error-exitcode 1 --target-processes all \
      "$bin/unit_nn_gpu" --gtest_filter='GpuParity.AllPartsOfAGroup:GpuParity.EveryPrecision'
    check "$tool-steps" compute-sanitizer --tool "$tool" --error-exitcode 1 --target-processes all \
      "$bin/mpi_train_gpu" --gtest_filter='GpuTraining.MuonWithLookaheadIsTheHosts'
  done
fi
check kernels "$bin/bench-cuda-kernels" --benchmark_out="${result%.json}-kernels.json" --benchmark_out_format=json

"$bin/whorl-synth" --output flowers.tar --per-class 400 --size 32 > synth.log 2>&1
"$bin/mpirun" -n 2 "$bin/whorl-ingest" --input flowers.tar --output flowers.h5 --size 32 > ingest.log 2>&1
for precision in float32 tf32 float16 bfloat16; do
  train "$precision" 1 --parallel.precision="$precision"
  accuracy=$(sed -n 's/.*test accuracy *\([0-9.]*\).*/\1/p' "$precision/verdict.txt" 2> /dev/null || true)
  speed=$(sed -n 's/.*speed *\([0-9]*\).*/\1/p' "$precision/verdict.txt" 2> /dev/null || true)
  roofline=$(sed -n '/^ *roofline/{N; s/^ *roofline *//; s/\n */ /; p}' "$precision/verdict.txt" 2> /dev/null || true)
  note "accuracy-$precision" "$(awk -v a="${accuracy:-0}" 'BEGIN {print (a > 90) ? "true" : "false"}')" "$accuracy %, $speed images/s; $roofline"
done
train again 1 --parallel.precision=float16
check_equal equal-runs "$(of_run float16 weights_digest)" "$(of_run again weights_digest)"
train shared 2 --parallel.precision=float16 --parallel.share_gpu=true --parallel.all_reduce=ring
check_equal two-ranks-on-one-gpu "$(of_run float16 weights_digest)" "$(of_run shared weights_digest)"

train resident 1 --parallel.precision=float16 --train.reproducible=false
train resident-again 1 --parallel.precision=float16 --train.reproducible=false
check_equal equal-runs-on-the-gpu "$(of_run resident weights_digest)" "$(of_run resident-again weights_digest)"

# One training after the other, each a process of its own. Seconds: of the epochs, and of the whole process.
recipe() {  # recipe SEED
  local start=$EPOCHREALTIME
  "$bin/mpirun" -n 1 "$bin/whorl-train" --job "$jobs/cifar10-94.ini" --data "$cifar" --run "seed$1" --device gpu --train.seed="$1" \
    --parallel.precision=float16 --train.shard=2000 --train.reproducible=false --train.evaluate_every=0 > "seed$1.log" 2>&1 || return 1
  echo "$(sed -n 's/.*test accuracy *\([0-9.]*\).*/\1/p' "seed$1/verdict.txt") $(of_run "seed$1" train_seconds)" \
    "$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {print b - a}')"
}
mean_of() { awk -v c="$1" '{s += $c} END {printf "%.4f", NR ? s / NR : 0}' "$2"; }  # mean_of COLUMN FILE
if [ -n "$cifar" ]; then
  for seed in $(seq "$seeds"); do recipe "$seed" || { tail -n 5 "seed$seed.log" >&2; echo "0 0 0"; }; done > seeds.txt
  accuracy=$(mean_of 1 seeds.txt)
  note time-to-94 "$(awk -v a="$accuracy" 'BEGIN {print (a >= 94) ? "true" : "false"}')" \
    "mean of $seeds seeds: $accuracy %, $(mean_of 2 seeds.txt) s of training, $(mean_of 3 seeds.txt) s from start to saved model"
  python=${PYTHON:-python3}
  if "$python" -c 'import torch, h5py; assert torch.cuda.is_available()' 2> /dev/null; then
    check torch "$python" "$root/bench/peers/torch_airbench.py" --data "$cifar" --seeds "$seeds"
    grep '"warm_up": false' torch.log | tr -d ',' | awk '{a = s = ""; for (i = 1; i < NF; ++i) {if ($i ~ /accuracy/) a = $(i + 1); if ($i ~ /seconds/) s = $(i + 1)}
      print a * 100, s}' > torch.txt
    note torch-recipe true "mean: $(mean_of 1 torch.txt) %, $(mean_of 2 torch.txt) s of training and evaluation"
  fi
fi

cat > "$result" <<JSON
{
  "gpu": "$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)",
  "driver": "$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1)",
  "failures": $failures,
  "steps": [$steps
  ]
}
JSON
echo "$failures steps failed; $result tells more"
[ "$failures" -eq 0 ]
