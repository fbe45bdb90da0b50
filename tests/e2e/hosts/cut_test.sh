#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# One of two hosts is cut off the network in the middle of a training or an ingest: the job ends within 30 s on both sides of the cut, and
# the message names a rank of the lost host and what it was doing.
set -euo pipefail
# shellcheck source=tests/e2e/hosts/common.sh
. "$WHORL_TESTS/e2e/hosts/common.sh"

# cut PROGRAM BEGUN ARGUMENTS...: inside the namespaces; BEGUN is a test that holds once the work is under way.
cut() {
  local program=$1 begun=$2
  shift 2
  "$WHORL_TESTS"/../jobs/launch.sh --ranks 4 --threads 1 "$program" "$@" &
  job=$!
  until eval "$begun"; do kill -0 $job || exit 1; sleep 0.1; done
  sleep 1
  SECONDS=0
  ip link set port2 down
  status=0
  wait $job || status=$?
  echo "launch.sh ended with $status after $SECONDS s"
  while pgrep "$program" > /dev/null; do
    [ $SECONDS -lt $((30 * slowness)) ] || { echo "ranks are left: $(pgrep -a "$program")"; exit 1; }
    sleep 0.2
  done
  echo "all ranks ended after $SECONDS s"
  exit
}

if [ "${1:-}" = train ]; then
  cut whorl-train '[ -s run/metrics.csv ]' --job job.ini --data flowers.h5 --run run --train.epochs=100000 --train.evaluate_every=0 \
    --checkpoint.epochs=0
elif [ "${1:-}" = ingest ]; then
  cut whorl-ingest 'compgen -G "out.h5.partial-*/journal-*" > /dev/null' --input tree --output out.h5 --size 1024 --store jpeg
fi

# expect_end PROGRAM PHASE: the job was ended as it should be.
expect_end() {
  on_hosts "$0" "$1" || fail "$1: the job did not end"
  grep -qE "warning: rank [23] \(host host2\) has not answered for [0-9]* s; its last phase: $2" output ||
    fail "$1: the message does not name rank, host and phase"
  grep -qE "launch.sh ended with [1-9][0-9]* after ([0-9]|[12][0-9]) s" output || fail "$1: the job did not fail within 30 s"
}

make_dataset flowers.h5 20
write_job job.ini
"$WHORL_BIN"/make_pictures tree 3 600
unset "${!SLURM_@}"
expect_end train "[a-z].*, step [0-9]+"
expect_end ingest "[a-z]"
[ ! -e out.h5 ] || fail "ingest: a file appeared"
