#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# flipped_bits.sh [TRIALS]: one bit is flipped anywhere in a dataset, every other time outside the pictures; whorl-inspect --verify
# must find it and say where it is. WHORL_FLIPPED_INPUT: pictures to use instead of drawn ones; SEED: repeats a run.
. "$WHORL_TESTS/e2e/ingest/common.sh"

trials=${1:-20}
RANDOM=${SEED:-$$}
echo "SEED=${SEED:-$$}"
[ -n "${WHORL_FLIPPED_INPUT:-}" ] || "$WHORL_BIN/make_pictures" tree 3 40
with_ranks 2 --input "${WHORL_FLIPPED_INPUT:-tree}" --output pixels.h5 --size 64 >log 2>&1 || fail "pixels"
with_ranks 2 --input "${WHORL_FLIPPED_INPUT:-tree}" --output jpeg.h5 --size 64 --store jpeg >log 2>&1 || fail "jpeg"

# verify FILE RANKS: its status, output in log.
verify() {
  local status=0
  timeout $((60 * slowness)) mpirun -n "$2" "$WHORL_BIN/whorl-inspect" "$1" --verify >log 2>&1 || status=$?
  return $status
}
random() { echo $(((RANDOM * 32768 + RANDOM) % $1)); }

# flip FILE BYTE BIT
flip() {
  local value
  value=$(od -An -tu1 -j "$2" -N 1 "$1")
  # shellcheck disable=SC2059
  printf "\\x$(printf %02x $((value ^ (1 << $3))))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

declare -A seen=()
for trial in $(seq "$trials"); do
  file=pixels.h5
  [ $((RANDOM % 2)) -eq 0 ] || file=jpeg.h5
  size=$(stat -c %s $file)
  byte=$(random "$size") bit=$((RANDOM % 8))
  # What is not a picture lies at the ends.
  if [ $((trial % 2)) -eq 0 ]; then
    byte=$(random 8192)
    [ $((RANDOM % 2)) -eq 0 ] || byte=$((size - 1 - byte))
  fi
  flip $file "$byte" $bit
  if verify $file $((trial % 3 + 1)); then fail "bit $bit of byte $byte of $size in $file is not found"; fi
  grep -q "whorl-inspect: error: .*$file" log || fail "bit $bit of byte $byte in $file: no sentence"
  kind=$(sed -n "s/.*\(train\|test\) picture [0-9]* (.*/a picture/p; s/.*bytes [0-9]* to [0-9]*: \(HDF5's own\|[a-z_/]*\).*/\1/p; s/.*\(rest_checksums itself\).*/\1/p" log | head -1)
  kind=${kind:-refused when opened}
  seen[$kind]=$((${seen[$kind]:-0} + 1))
  flip $file "$byte" $bit
done
for file in pixels.h5 jpeg.h5; do verify $file 2 || fail "$file is intact, but --verify says otherwise"; done
echo "$trials flipped bits, $trials found:"
for kind in "${!seen[@]}"; do echo "  ${seen[$kind]} $kind"; done
