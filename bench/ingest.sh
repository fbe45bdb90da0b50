#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bench/ingest.sh PICTURES [ROUNDS]: how close whorl-ingest with 2 ranks comes to the decoder alone. In turns, so that a machine that
# slows down slows both: one core decoding all pictures from memory (bench-decode), then a whole ingest to 192 pixels, from the start
# of the scan to the finished file. Prints both rates and their ratio; 1 would be two cores that do nothing but decode.
# The programs are taken from WHORL_BIN (default: build/release/bin); the result is written to TMPDIR (default: /tmp).
set -euo pipefail

[ $# -ge 1 ] || { sed -n '3,6s/^# //p' "$0" >&2; exit 2; }
pictures=$1
rounds=${2:-5}
bin=${WHORL_BIN:-$(dirname "$0")/../build/release/bin}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

median() { sort -g | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int((NR + 2) / 2)]) / 2 }'; }

for round in $(seq "$rounds"); do
  decode=$("$bin/bench-decode" --images "$pictures" --benchmark_filter='^decode' --benchmark_format=json 2>/dev/null |
    awk -F'[:,]' '/"images\/s"/ { print $2 + 0 }')
  rm -f "$folder/out.h5"
  ingest=$(mpirun -n 2 "$bin/whorl-ingest" --input "$pictures" --output "$folder/out.h5" 2>/dev/null |
    sed -n 's/.* in .*: \([0-9]*\) pictures\/s,.*/\1/p')
  echo "$decode" >>"$folder/decode"
  echo "$ingest" >>"$folder/ingest"
  awk -v d="$decode" -v i="$ingest" -v r="$round" \
    'BEGIN { printf "round %d: decode alone %.0f pictures/s on one core, ingest %.0f with 2 ranks, ratio %.2f\n", r, d, i, i / d / 2 }'
  awk -v d="$decode" -v i="$ingest" 'BEGIN { print i / d / 2 }' >>"$folder/ratio"
done
printf 'median of %d: decode alone %.0f pictures/s, ingest %.0f, ratio of ingest to twice decode %.2f\n' "$rounds" \
  "$(median <"$folder/decode")" "$(median <"$folder/ingest")" "$(median <"$folder/ratio")"
