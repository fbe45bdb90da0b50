#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh CPU_SECONDS [TARGET...]: fuzzes each target (all of them) for so long, from the generated seeds, corpus/, what earlier runs
# kept in build/fuzz/corpus and, for JPEGs, the odd ones below WHORL_DATA_DIR. Prints executions and findings, which lie in
# build/fuzz/findings; exit status 1 if there are any. Before: cmake --preset fuzz && cmake --build --preset fuzz
set -euo pipefail
seconds=${1:?run.sh CPU_SECONDS [TARGET...]}
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build/fuzz
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cd "$build/bin" && ls | sed -n 's/^fuzz_//p' | grep -v '^seeds$')
[ ! -w /dev/shm ] || export TMPDIR=${TMPDIR:-/dev/shm}  # for the inputs
TIMEFORMAT='%3U'

# fuzz TARGET SECONDS: into $findings/log; prints the CPU seconds it took.
fuzz() {
  local leaks=1
  case $1 in checkpoint | dataset | weights) leaks=0 ;; esac # HDF5's own are looked through after each refusal, which takes too long
  { time "$build/bin/fuzz_$1" -max_total_time="$2" -detect_leaks=$leaks -timeout=10 -malloc_limit_mb=1024 -rss_limit_mb=2048 \
    -max_len=32768 -print_final_stats=1 -artifact_prefix="$findings/" "${folders[@]}" > "$findings/log" 2>&1; } 2>&1
}

"$build/bin/fuzz_seeds" "$build/seeds"
if [ -n "${WHORL_DATA_DIR:-}" ]; then
  find "$WHORL_DATA_DIR" -path '*odd-jpegs*' -type f -size -32k ! -name '*.tsv' -exec cp {} "$build/seeds/jpeg" \;
fi
status=0
for target in "${targets[@]}"; do
  findings=$build/findings/$target
  folders=("$build/corpus/$target")
  mkdir -p "$findings" "${folders[0]}"
  for folder in "$build/seeds/$target" "$here/corpus/$target"; do [ ! -d "$folder" ] || folders+=("$folder"); done
  spent=0 executions=0 found=0
  while ((found == 0 && spent < 1000 * seconds)); do # milliseconds; again where others had the processor
    used=$(fuzz "$target" $((seconds - spent / 1000))) || found=1
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$findings/log")
    spent=$((spent + 10#${used/./})) executions=$((executions + ${executed:-0}))
  done
  printf '%-13s %10d executions in %d CPU seconds%s\n' "$target" $executions $((spent / 1000)) "$( ((found == 0)) || echo "; FOUND: $findings")"
  ((found == 0)) || status=1
done
exit $status
