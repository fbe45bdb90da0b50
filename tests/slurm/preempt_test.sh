#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A training on two hosts is preempted by Slurm, asked to stop as before the end of its time, and preempted again. Each time it goes
# back into the queue and on in its folder; in the end its weights are those of an undisturbed run. Another runs out of its time and
# goes on; when it is then cancelled, it stays away.
set -euo pipefail
# shellcheck source=tests/slurm/common.sh
. "$WHORL_TESTS/slurm/common.sh"

"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 40 --size 24 > /dev/null 2>&1
"$WHORL_BIN"/whorl-ingest --input flowers.tar --output flowers.h5 --size 16 > /dev/null 2>&1
train=(--job jobs/quickstart.ini --data flowers.h5 --network.image_size=0 --train.batch=40 --train.shard=10 --train.evaluate_every=20
  --train.epochs=100)
digest_of() { grep -o '"weights_digest": "[0-9a-f]*"' "$1/run.json" || fail "$1/run.json has no digest"; }
lines_of() { wc -l < "$1/metrics.csv"; }

# wait_for_more_epochs RUN: until it has recorded some that it did not have.
wait_for_more_epochs() {
  local end=$((SECONDS + 90)) before
  before=$(lines_of "$1" 2> /dev/null || echo 0)
  until [ "$(lines_of "$1" 2> /dev/null || echo 0)" -ge $((before + 5)) ]; do
    [ $SECONDS -lt $end ] || fail "$1 does not go on"
    sleep 0.1
  done
}

jobs/launch.sh --ranks 2 whorl-train "${train[@]}" --run undisturbed > undisturbed.out 2>&1 || fail "the undisturbed run"

job=$(sbatch --parsable --nodes=2 --ntasks-per-node=1 slurm/train.sbatch "${train[@]}" --run disturbed)
for stop in 1 2 3; do
  wait_for_more_epochs disturbed
  if [ $stop -eq 2 ]; then
    scancel --batch --signal=USR1 "$job"
  else
    urgent=$(sbatch --parsable --partition=urgent --nodes=2 --ntasks-per-node=2 --wrap 'sleep 1')
    wait_for_job "$urgent" COMPLETED 60
  fi
  until [ "$(grep -c "put back into the queue" disturbed/launch.txt)" -eq $stop ]; do sleep 0.2; done
done
wait_for_job "$job" COMPLETED 180
[ "$(grep -c '"from_step"' disturbed/run.json)" -eq 4 ] || fail "run.json should tell of four starts"
[ "$(digest_of disturbed)" = "$(digest_of undisturbed)" ] || fail "three stops changed the weights"
cmp -s <(cut -d, -f1-7 disturbed/metrics.csv) <(cut -d, -f1-7 undisturbed/metrics.csv) || fail "three stops changed the metrics"

# Slurm itself sends the signal when the time is nearly over. It looks every half a minute, and sends it that much too early: with
# the minute that train.sbatch asks for, as soon as this job begins, even before launch.sh has set its trap.
job=$(sbatch --parsable --nodes=2 --ntasks-per-node=1 --time=1 --signal=B:USR1@20 slurm/train.sbatch "${train[@]}" --train.epochs=100000 --run cancelled)
wait_for_text cancelled/launch.txt "put back into the queue" 100
wait_for_more_epochs cancelled
scancel "$job"
wait_for_job "$job" CANCELLED 30
sleep 5
[ -z "$(squeue --noheader --jobs "$job" --states=PENDING,RUNNING)" ] || fail "a cancelled job came back"
