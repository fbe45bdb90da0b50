# SPDX-License-Identifier: BSD-3-Clause
# What the tests of whorl-readbench share: a small set of drawn pictures, and every form of it in forms/.
set -euo pipefail

readbench="$WHORL_BIN/whorl-readbench"

fail() {
  echo "FAILED: $*" >&2
  [ ! -f log ] || sed 's/^/  | /' log >&2
  exit 1
}

# with_ranks RANKS ARGS...: whorl-readbench, killed after a minute.
with_ranks() {
  local ranks=$1
  shift
  timeout --kill-after=5 60 mpirun -n "$ranks" "$readbench" "$@"
}

# expect_error STATUS TEXT RANKS ARGS...: fails within 20 s with one message that holds TEXT.
expect_error() {
  local expected=$1 text=$2 status=0 start=$SECONDS
  shift 2
  with_ranks "$@" >log 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || fail "status $status, not $expected: $*"
  [ $((SECONDS - start)) -lt $((20 * ${WHORL_TEST_SLOWNESS:-1})) ] || fail "took $((SECONDS - start)) s: $*"
  [ "$(grep -c "whorl-readbench: error" log)" -eq 1 ] || fail "not one error message: $*"
  grep -qF -- "$text" log || fail "no \"$text\" in the message: $*"
}

"$WHORL_BIN/whorl-synth" --output pictures.tar --per-class 6 --size 40 >log 2>&1 || fail "whorl-synth"
"$WHORL_BIN/whorl-ingest" --input pictures.tar --output set.h5 --size 32 >log 2>&1 || fail "whorl-ingest"
with_ranks 2 --prepare forms --from set.h5 >log 2>&1 || fail "--prepare"
