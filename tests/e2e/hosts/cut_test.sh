#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# One of two hosts is cut off the network in the middle of a training: the job ends within 30 s on both sides of the cut, and the message
# names a rank of the lost host.
set -euo pipefail
# shellcheck source=tests/e2e/hosts/common.sh
. "$WHORL_TESTS/e2e/hosts/common.sh"

if [ "${1:-}" = inside ]; then
  "$WHORL_TESTS"/../jobs/launch.sh --ranks 4 --threads 1 whorl-train --job job.ini --data flowers.h5 --run run --train.epochs=100000 \
    --train.evaluate_every=0 --checkpoint.epochs=0 &
  job=$!
  until [ -s run/metrics.csv ]; do kill -0 $job || exit 1; sleep 0.1; done
  sleep 1
  SECONDS=0
  ip link set port2 down
  status=0
  wait $job || status=$?
  echo "launch.sh ended with $status after $SECONDS s"
  while pgrep whorl-train > /dev/null; do
    [ $SECONDS -lt 30 ] || { echo "ranks are left: $(pgrep -a whorl-train)"; exit 1; }
    sleep 0.2
  done
  echo "all ranks ended after $SECONDS s"
  exit
fi

make_dataset flowers.h5 20
write_job job.ini
unset "${!SLURM_@}"
on_hosts "$0" inside || fail "the job did not end"
grep -qE "warning: rank [23] \(host host2\) has not answered for [0-9]* s; its last phase: [a-z].*, step [0-9]+" output ||
  fail "the message does not name rank, host and phase"
grep -qE "launch.sh ended with [1-9][0-9]* after ([0-9]|[12][0-9]) s" output || fail "the job did not fail within 30 s"
