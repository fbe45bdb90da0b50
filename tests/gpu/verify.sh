#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# verify.sh BUNDLE RESULT.json: on a host with a GPU, shows that the GPU path computes what it should. BUNDLE is what
# `jobs/bundle.sh BUNDLE build/release/bin unit_nn_gpu bench-cuda-kernels` makes. Parity with the reference, the same under
# compute-sanitizer where that is installed, every kernel's bandwidth (RESULT-kernels.json), equal weights of equal runs and of two
# ranks that share the GPU, and accuracy and speed in every precision on drawn flowers. The last line says whether all is well;
# RESULT.json has every step. Exit status 77: there is no GPU.
set -euo pipefail

[ $# -eq 2 ] || { sed -n '3,8s/^# //p' "$0" >&2; exit 2; }
bin=$(cd "$1" && pwd)/bin
result=$(realpath "$2")
jobs=$(cd "$(dirname "$0")/../../jobs" && pwd)
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
if command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck initcheck; do
    check "$tool" compute-sanitizer --tool "$tool" --error-exitcode 1 --target-processes all \
      "$bin/unit_nn_gpu" --gtest_filter='GpuParity.AllPartsOfAGroup:GpuParity.EveryPrecision'
  done
fi
check kernels "$bin/bench-cuda-kernels" --benchmark_out="${result%.json}-kernels.json" --benchmark_out_format=json

"$bin/whorl-synth" --output flowers.tar --per-class 400 --size 32 > synth.log 2>&1
"$bin/mpirun" -n 2 "$bin/whorl-ingest" --input flowers.tar --output flowers.h5 --size 32 > ingest.log 2>&1
for precision in float32 tf32 float16 bfloat16; do
  train "$precision" 1 --parallel.precision="$precision"
  accuracy=$(sed -n 's/.*test accuracy *\([0-9.]*\).*/\1/p' "$precision/verdict.txt" 2> /dev/null || true)
  speed=$(sed -n 's/.*speed *\([0-9]*\).*/\1/p' "$precision/verdict.txt" 2> /dev/null || true)
  note "accuracy-$precision" "$(awk -v a="${accuracy:-0}" 'BEGIN {print (a > 90) ? "true" : "false"}')" "$accuracy %, $speed images/s"
done
train again 1 --parallel.precision=float16
check_equal equal-runs "$(of_run float16 weights_digest)" "$(of_run again weights_digest)"
train shared 2 --parallel.precision=float16 --parallel.share_gpu=true --parallel.all_reduce=ring
check_equal two-ranks-on-one-gpu "$(of_run float16 weights_digest)" "$(of_run shared weights_digest)"

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
