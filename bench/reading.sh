#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bench/reading.sh fetch FILE.h5 [ROUNDS]: one picture in shuffled order out of the page cache: the reader of training against
#   mmap + memcpy, H5Dread and h5py; ratios of the reader to each.
# bench/reading.sh decode PICTURES.tar [ROUNDS]: decoding and resizing to 192 pixels on one core: SquareDecoder against Pillow, OpenCV and
#   torchvision.
# Rounds in turns, so that a machine that slows down slows all; medians of the rounds. Programs from WHORL_BIN (default:
# build/release/bin), Python with h5py or the decoders from PYTHON (default: python3); a missing peer is left out and named.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '3,9s/^# //p' "$0" >&2; exit 2; }
what=$1 data=$2 rounds=${3:-7}
here=$(dirname "$0")
bin=${WHORL_BIN:-$here/../build/release/bin}
python=${PYTHON:-python3}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

median() { sort -g "$1" | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int((NR + 2) / 2)]) / 2 }'; }

# ours NAME PROGRAM ARGS...: images/s of one Google Benchmark, appended to $folder/NAME.
ours() {
  local name=$1
  shift
  "$@" --benchmark_format=json --benchmark_min_time=0.5 2>/dev/null | awk -F'[:,]' '/"images\/s"/ { print $2 + 0 }' >>"$folder/$name"
}
# peer NAME SCRIPT ARGS...
peer() {
  local name=$1
  shift
  "$python" "$@" >>"$folder/$name" 2>"$folder/error" || echo "$name left out: $(tail -n 1 "$folder/error")" >&2
}

for _ in $(seq "$rounds"); do
  case $what in
    fetch)
      for way in reader mmap h5dread h5dread_sieve0; do
        ours $way "$bin/bench-fetch" --data "$data" --benchmark_filter="^$way/"
      done
      peer h5py "$here/peers/h5py_fetch.py" "$data" 0.5
      ;;
    decode)
      ours square "$bin/bench-decode" --images "$data" --benchmark_filter='^square'
      for library in pillow opencv torchvision; do peer $library "$here/peers/decode_peers.py" $library "$data"; done
      ;;
    *) echo "fetch or decode, not $what" >&2; exit 2 ;;
  esac
done

[ "$what" = fetch ] && reference=reader || reference=square
echo "images/s, medians of $rounds rounds (lowest to highest); ratio: $reference / it, median of the rounds' ratios"
for file in $(cd "$folder" && ls -1 | grep -v error); do
  [ -s "$folder/$file" ] || continue
  paste "$folder/$reference" "$folder/$file" | awk '{ print $1 / $2 }' >"$folder.ratio"
  printf '%-16s %10.0f  (%.0f to %.0f)  ratio %.2f\n' "$file" "$(median "$folder/$file")" \
    "$(sort -g "$folder/$file" | head -1)" "$(sort -g "$folder/$file" | tail -1)" "$(median "$folder.ratio")"
  rm "$folder.ratio"
done
