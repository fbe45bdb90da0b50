# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# To be sourced: what the tests of whorl-train and whorl-eval share.

slowness=${WHORL_TEST_SLOWNESS:-1}  # of the programs: how much longer they may take, see CMakePresets.json

fail() {
  echo "FAILED: $1" >&2
  [ ! -e output ] || sed 's/^/    | /' output >&2
  exit 1
}

expect_in_output() {  # expect_in_output TEXT
  grep -qF -- "$1" output || fail "the output lacks: $1"
}

# expect_failure STATUS COMMAND...: the command fails with this status within 20 s; its output goes to `output`.
expect_failure() {
  local wanted=$1 status=0 start=$SECONDS
  shift
  timeout $((60 * slowness)) "$@" > output 2>&1 || status=$?
  [ "$status" -eq "$wanted" ] || fail "status $status instead of $wanted of: $*"
  [ $((SECONDS - start)) -lt $((20 * slowness)) ] || fail "it took $((SECONDS - start)) s to fail: $*"
}

# make_dataset FILE PER_CLASS: drawn flowers of 16 pixels, five classes.
make_dataset() {
  "$WHORL_BIN"/whorl-synth --output flowers.tar --per-class "$2" --size 24 2> /dev/null > /dev/null
  mpirun -n 2 "$WHORL_BIN"/whorl-ingest --input flowers.tar --output "$1" --size 16 > output 2>&1 || fail "ingest"
}

# A job that takes seconds.
write_job() {  # write_job FILE
  cat > "$1" <<'JOB'
[network]
name = petal
[train]
epochs = 2
batch = 32
shard = 8
[optimizer]
learning_rate = 0.05
[augment]
flip = random
[parallel]
threads = 1
JOB
}
