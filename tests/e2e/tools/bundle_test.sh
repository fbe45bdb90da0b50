#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# jobs/bundle.sh: what it makes runs from anywhere, with its own libraries only.
set -euo pipefail

fail() {
  echo "FAILED: $1" >&2
  [ ! -e output ] || sed 's/^/    | /' output >&2
  exit 1
}

"$WHORL_TESTS/../jobs/bundle.sh" bundle "$WHORL_BIN" > output 2>&1 || fail "bundle.sh"
"$WHORL_TESTS/../jobs/bundle.sh" bundle "$WHORL_BIN" > output 2>&1 && fail "an existing folder was overwritten"
grep -q "bundle exists already" output || fail "the cause is missing"
mv bundle elsewhere
here=$PWD/elsewhere

for program in mpirun whorl-ingest; do
  "$here/lib/ld-linux-x86-64.so.2" --library-path "$here/lib" --list "$here/programs/$program" > output 2>&1 || fail "libraries of $program"
  if grep '=> /' output | grep -v "=> $here"; then fail "$program takes libraries of the system"; fi
done

"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 8 --size 24 > output 2>&1 || fail "drawing"
"$WHORL_BIN"/whorl-ingest --input flowers.tar --output expected.h5 --size 16 > output 2>&1 || fail "ingest"
mapfile -t sanitizers < <(env | grep '^[A-Z]*SAN_OPTIONS=' || true)
env -i "${sanitizers[@]}" PATH=/usr/bin:/bin OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
  "$here/bin/mpirun" -n 3 "$here/bin/whorl-ingest" --input flowers.tar --output bundled.h5 --size 16 > output 2>&1 || fail "ingest from the bundle"
cmp expected.h5 bundled.h5 || fail "the bundle makes another dataset"
