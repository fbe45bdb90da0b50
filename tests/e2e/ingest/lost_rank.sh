#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A rank that is killed or stopped in the middle of an ingest ends the job within 30 s; the message names it, its host and what it was
# doing. What was finished is not lost.
. "$WHORL_TESTS/e2e/ingest/common.sh"

cat >noting.sh <<SCRIPT
#!/usr/bin/env bash
echo \$\$ >"pid-\$OMPI_COMM_WORLD_RANK"
exec "$ingest" "\$@"
SCRIPT
chmod +x noting.sh

# lose SIGNAL RANK WHAT: sends the signal to that rank of three once pictures are finished.
lose() {
  local pid status=0 start
  rm -rf pid-* out.h5*
  mpirun -n 3 ./noting.sh --input tree --output out.h5 --size 1024 --store jpeg --watchdog 5 >log 2>&1 &
  job=$!
  trap 'kill -9 "$job" $(cat pid-*) 2>/dev/null || true' EXIT
  until [ "$(cat out.h5.partial-*/journal-* 2>/dev/null | wc -c)" -gt 300 ]; do
    kill -0 $job || fail "the job ended"
    sleep 0.01
  done
  sleep 1  # the others have heard of its phase
  pid=$(cat "pid-$2")
  start=$SECONDS
  kill -"$1" "$pid"
  wait $job || status=$?
  [ "$status" -ne 0 ] || fail "the job ended as if all were well"
  [ $((SECONDS - start)) -lt $((30 * slowness)) ] || fail "it took $((SECONDS - start)) s to end the job"
  while [ -e "/proc/$pid" ] && ! grep -q "^State:.Z" "/proc/$pid/status"; do
    [ $((SECONDS - start)) -lt $((30 * slowness)) ] || fail "rank $2 is still there"
    sleep 0.2
  done
  grep -qE "error: rank $2 \(host $(hostname -s)\) $3; its last phase: (scan|read|decode|write|wait for the other ranks)\. This ends" log ||
    fail "the message does not name rank $2, host and phase"
  [ ! -e out.h5 ] || fail "a file appeared"
}

"$WHORL_BIN/make_pictures" tree 3 600
lose KILL 1 "is gone"
lose STOP 2 "has not answered for [5-9] s \(watchdog: 5 s\)"
lose STOP 0 "has not answered for [5-9] s \(watchdog: 5 s\)"
expect_interrupted 1 "it holds [1-9][0-9]* finished pictures. Go on from there with --resume" 2 --input tree --output out.h5
