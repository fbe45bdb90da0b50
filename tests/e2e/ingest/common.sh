# SPDX-License-Identifier: BSD-3-Clause
# What the ingest tests share. Each runs in an empty folder of its own.
set -euo pipefail

ingest="$WHORL_BIN/whorl-ingest"
slowness=${WHORL_TEST_SLOWNESS:-1}  # of the programs: how much longer they may take, see CMakePresets.json

fail() {
  echo "FAILED: $*" >&2
  [ ! -f log ] || sed 's/^/  | /' log >&2
  exit 1
}

skip() {
  echo "skipped: $*"
  exit 77
}

# with_ranks RANKS ARGS...: whorl-ingest, killed after 60 s.
with_ranks() {
  local ranks=$1
  shift
  timeout --kill-after=5 $((60 * slowness)) mpirun -n "$ranks" "${launch[@]}" "$@"
}
launch=("$ingest")

# expect_error STATUS TEXT RANKS ARGS...: fails within 20 s with one message that holds TEXT, and leaves no file of out.h5 behind.
expect_error() {
  expect_interrupted "$@"
  [ -z "$(find . -name 'out.h5*')" ] || fail "left behind: $(find . -name 'out.h5*')"
}

# The same, but what it leaves is not looked at.
expect_interrupted() {
  local expected=$1 text=$2 status=0 start=$SECONDS
  shift 2
  with_ranks "$@" >log 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || fail "status $status, not $expected: $*"
  [ $((SECONDS - start)) -lt $((20 * slowness)) ] || fail "took $((SECONDS - start)) s: $*"
  [ "$(grep -c "whorl-ingest: error" log)" -eq 1 ] || fail "not one error message: $*"
  grep -q -- "$text" log || fail "no \"$text\" in the message: $*"
}
