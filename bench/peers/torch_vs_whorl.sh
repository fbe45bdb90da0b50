#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Training speed of a network, whorl against PyTorch's best mode, alternating in one run on an otherwise idle machine.
#   bench/peers/torch_vs_whorl.sh [BIN_DIR]        (default build/release/bin)
# Environment: PYTHON (with torch; default python3), NETWORK (air94; petal, resnet18), IMAGE_SIZE (32), ROUNDS (5), SECONDS_EACH (5), SHARD (100),
# SHARDS (8, per rank and step), RANKS (physical cores), MODES, BATCHES, ISA (AVX2: both limited to it).
# First every PyTorch mode and batch size is tried once; the fastest then runs in turns with whorl. Prints JSON lines, then median, lowest and
# highest images/s of both, and the ratio of the medians.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${1:-$here/../../build/release/bin}
python=${PYTHON:-python3}
rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-5}
network=${NETWORK:-air94}
image_size=${IMAGE_SIZE:-32}
shard=${SHARD:-100}
shards=${SHARDS:-8}
ranks=${RANKS:-$(lscpu -p=core,socket | grep -v '^#' | sort -u | wc -l)}
modes=${MODES:-eager channels_last compile}
batches=${BATCHES:-64 128 256 $((shard * ranks))}

if [ -n "${ISA:-}" ]; then  # oneDNN's limit is also that of whorl's own kernels
  export ONEDNN_MAX_CPU_ISA=$ISA DNNL_MAX_CPU_ISA=$ISA ATEN_CPU_CAPABILITY=${ISA,,}
  echo "limited to $ISA"
fi

torch() {  # MODE BATCH -> a JSON line
  "$python" "$here/torch_step.py" --network "$network" --image-size "$image_size" --mode "$1" --batch "$2" --threads "$ranks" --seconds "$seconds" 2>/dev/null
}
whorl() {  # -> a JSON line
  mpirun -n "$ranks" --bind-to core "$bin/bench-step" --network "$network" --image-size "$image_size" --shard "$shard" \
    --shards "$shards" --benchmark_filter="^$network" \
    --seconds "$seconds" --benchmark_format=json 2>/dev/null | "$python" -c '
import json, sys
run = json.load(sys.stdin)["benchmarks"][0]
print(json.dumps({"program": "whorl", "name": run["name"], "images_per_second": round(run["items_per_second"], 1)}))'
}
rate() { "$python" -c 'import json, sys; print(json.load(sys.stdin)["images_per_second"])'; }

lscpu | grep 'Model name'
mpirun --version | head -1
best_rate=0
for mode in $modes; do
  for batch in $batches; do
    line=$(torch "$mode" "$batch")
    echo "$line"
    this=$(rate <<<"$line")
    if "$python" -c "import sys; sys.exit(not $this > $best_rate)"; then
      best_rate=$this best_mode=$mode best_batch=$batch
    fi
  done
done
echo "PyTorch's best: $best_mode, batch $best_batch"

torch_rates=() whorl_rates=()
for ((round = 0; round < rounds; ++round)); do
  line=$(whorl) && echo "$line" && whorl_rates+=("$(rate <<<"$line")")
  line=$(torch "$best_mode" "$best_batch") && echo "$line" && torch_rates+=("$(rate <<<"$line")")
done
"$python" - "${whorl_rates[*]}" "${torch_rates[*]}" <<'PYTHON'
import statistics, sys
ours, theirs = ([float(rate) for rate in rates.split()] for rates in sys.argv[1:])
for name, rates in ("whorl", ours), ("PyTorch", theirs):
    print(f"{name}: median {statistics.median(rates):.0f} images/s, {min(rates):.0f} to {max(rates):.0f} in {len(rates)} runs")
print(f"ratio of the medians: {statistics.median(ours) / statistics.median(theirs):.2f}")
PYTHON
