#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# jobs/launch.sh outside of a Slurm job (tests/slurm runs it inside of one).
set -euo pipefail
unset "${!SLURM_@}"

launch=$WHORL_TESTS/../jobs/launch.sh

fail() {
  echo "FAILED: $1" >&2
  sed 's/^/    | /' output >&2
  exit 1
}
expect_in_output() { grep -qF -- "$1" output || fail "the output lacks: $1"; }

"$launch" --ranks 1 --threads 1 --print whorl-train --job "a b.ini" > output
expect_in_output "mpirun --quiet -n 1 --map-by ppr:1:node:PE=1 --bind-to core $WHORL_BIN/whorl-train --job a\\ b.ini"
"$launch" --ranks 4096 --print whorl-train > output
expect_in_output "mpirun --quiet -n 4096 --bind-to none"
WHORL_MPIRUN_OPTIONS="--mca btl self" "$launch" --print whorl-train > output
expect_in_output "--mca btl self $WHORL_BIN/whorl-train"
WHORL_LAUNCHER=srun "$launch" --ranks 6 --threads 2 --print whorl-train > output
expect_in_output "srun --mpi=pmix --ntasks=6 --cpus-per-task=2"

for wrong in "--ranks 0 whorl-train" "--ranks" "--rank 2 whorl-train" ""; do
  # shellcheck disable=SC2086
  if "$launch" $wrong > output 2>&1; then fail "taken as right: $wrong"; fi
  expect_in_output "launch.sh [--ranks N]"
done
if "$launch" whorl-none > output 2>&1; then fail "a program that is not there"; fi
expect_in_output "there is no program"

# Three ranks share two GPUs.
CUDA_VISIBLE_DEVICES=5,7 "$launch" --ranks 3 --gpus /usr/bin/env printenv CUDA_VISIBLE_DEVICES > output
[ "$(sort output | paste -sd ' ')" = "5 5 7" ] || fail "the ranks did not get GPU 5, 7 and 5"

# The exit status is the program's; the note says what ran, and holds no token.
status=0
SLURM_JWT=secret "$launch" --ranks 1 /usr/bin/env bash -c 'exit 3' -- --run noted > output 2>&1 || status=$?
[ "$status" -eq 3 ] || fail "status $status instead of 3"
grep -q "started: mpirun --quiet -n 1" noted/launch.txt || fail "the command is not noted"
grep -q "ended: status 3" noted/launch.txt || fail "the end is not noted"
if grep -q secret noted/launch.txt; then fail "a token was noted"; fi

# A note that cannot be written stops neither the program nor the way back into the queue.
for place in /dev/full none/launch.txt; do
  mkdir -p unnoted && ln -sf "$place" unnoted/launch.txt
  "$launch" --ranks 1 /usr/bin/env bash -c 'touch ran' -- --run unnoted > output 2>&1 || fail "a note in $place stopped the program"
  rm ran
done

# A folder that holds another run is left alone.
mkdir other && touch other/job.ini
"$launch" --ranks 1 /usr/bin/env true --run other
[ ! -e other/launch.txt ] || fail "a note was left in another run's folder"

# The folder with the note is still new to whorl-train, which goes on to find the job file missing; one with a run is not.
if "$launch" --ranks 1 whorl-train --job none.ini --run fresh > output 2>&1; then fail "a job without its file"; fi
expect_in_output "none.ini"
"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 10 --size 16 > /dev/null 2>&1
"$launch" --ranks 2 whorl-ingest --input flowers.tar --output flowers.h5 --size 16 > output 2>&1 || fail "ingest"
[ -s flowers.h5.launch.txt ] || fail "no note beside the dataset"
train=(whorl-train --job "$WHORL_TESTS/../jobs/quickstart.ini" --data flowers.h5 --network.image_size=0 --train.epochs=1
  --train.batch=10 --train.shard=5 --run fresh)
"$launch" --ranks 2 "${train[@]}" > output 2>&1 || fail "training into a folder with a note"
"$launch" --ranks 2 "${train[@]}" > output 2>&1 || fail "training again what has ended"
expect_in_output "fresh is finished already"
if "$launch" --ranks 2 "${train[@]}" --resume never > output 2>&1; then fail "training into the folder of a run"; fi
expect_in_output "is not empty"

# The program computes with as many threads as were asked for, also where there are no cores to bind them to.
"$launch" --threads 97 "${train[@]/fresh/threads}" --train.epochs=0.1 > output 2>&1 || fail "training with 97 threads"
grep -q '"threads_per_rank": 97' threads/run.json || fail "another number of threads than 97"

# await FILE: until it is there, half a minute at most.
await() {
  for _ in $(seq 300); do
    [ ! -e "$1" ] || return 0
    sleep 0.1
  done
  return 1
}

# interrupt NAME COMMAND [ARGUMENTS...]: a shell's command, which gets USR1 when it has made the file NAME.begun; sets `status`.
interrupt() {
  local name=$1 command=$2
  "$launch" --ranks 1 /usr/bin/env bash -c "$command" -- "${@:3}" > output 2>&1 &
  local pid=$!
  await "$name.begun" || fail "$name has not begun"
  status=0
  kill -USR1 "$pid"
  wait "$pid" || status=$?
}

# USR1 stops the program, and says why; one that has come to its end meanwhile has succeeded.
interrupt stopped "touch stopped.begun; sleep 60" --run stopped
[ "$status" -eq 1 ] || fail "status $status instead of 1 after USR1"
expect_in_output "the time is nearly over"
interrupt ended "trap 'exit 0' USR1; touch ended.begun; while :; do sleep 0.1; done" --run ended
[ "$status" -eq 0 ] || fail "status $status instead of 0 of a program that ended well after USR1"

# type_interrupts COUNT NAME COMMAND: a shell's command at a terminal, where ^C is typed once it has made NAME.begun, and again each
# second; sets `status`. The shell between is bash: dash ends with ^C whatever its command makes of it.
type_interrupts() {
  status=0
  {
    await "$2.begun"
    for ((i = 0; i < $1; ++i)); do printf '\003'; sleep 1; done
    await "$2.over"
  } | env --default-signal=INT SHELL=/bin/bash script -qec "$(printf '%q ' "$launch" --ranks 1 /usr/bin/env bash -c "$3"); code=\$?; touch $2.over; exit \$code" \
    /dev/null > output 2>&1 || status=$?
}

# ^C leaves the program the time that it takes to stop (mpirun would kill it after a second); a second one ends it.
type_interrupts 1 typed "trap 'sleep 2; exit 75' USR1; touch typed.begun; while :; do sleep 0.1; done"
[ "$status" -eq 75 ] || fail "status $status instead of 75 after ^C"
type_interrupts 2 twice "trap 'echo not yet' USR1; touch twice.begun; while :; do sleep 0.1; done"
[ "$status" -ne 0 ] || fail "status 0 after two ^C"
expect_in_output "not yet"

# In a job of Slurm, of which there are but the words here, one that resumes goes back into the queue.
mkdir -p slurm further.partial-0
printf '#!/bin/sh\necho RUNNING\n' > slurm/squeue
printf '#!/bin/sh\necho "$@" >> %q\n' "$PWD/requeued" > slurm/scontrol
chmod +x slurm/*
export WHORL_LAUNCHER=mpirun
with_words=$PWD/slurm:$PATH
PATH=$with_words SLURM_JOB_ID=17 interrupt further "echo picture >> further.partial-0/journal-0; touch further.begun; sleep 60" \
  --resume --output further
[ "$(cat requeued)" = "requeue 17" ] || fail "not once back into the queue: $(cat requeued)"

# One that comes no further in three starts from the same place does not; another job in the same folder may try again.
mkdir -p stuck/checkpoints
start_in_job() {  # start_in_job ID STEP: a training that is stopped with a checkpoint of this step; sets `status`
  status=0
  PATH=$with_words SLURM_JOB_ID=$1 "$launch" --ranks 1 /usr/bin/env bash -c "touch stuck/checkpoints/step-00000000$2.h5; exit 75" -- --run stuck \
    > output 2>&1 || status=$?
}
rm requeued
touch stuck/launch.txt
for step in 7 7 7 8 8 8; do
  start_in_job 19 $step
  [ "$status" -eq 0 ] || fail "status $status of a job that goes back into the queue from step $step"
done
[ "$(grep -cx "requeue 19" requeued)" -eq 6 ] || fail "not six times back into the queue: $(cat requeued)"
start_in_job 19 8
[ "$status" -eq 1 ] || fail "status $status instead of 1 after three starts that came no further"
expect_in_output "three starts have come no further: what is next does not fit into the time; ask for more with --time"
start_in_job 20 8
[ "$(tail -n +7 requeued)" = "requeue 20" ] || fail "in the queue after six times: $(tail -n +7 requeued)"

# Asked to stop before the program is started, the job goes back into the queue as well; even where no note can be written.
# shellcheck disable=SC2016
printf '%s\n' '. "$root/slurm/site.sh"' 'touch early.begun; sleep 1' > slow_site.sh
mkdir early && ln -s none/launch.txt early/launch.txt
WHORL_SITE=$PWD/slow_site.sh PATH=$with_words SLURM_JOB_ID=18 interrupt early "touch early.ran" --run early
[ ! -e early.ran ] || fail "started though asked to stop before"
[ "$(tail -n 1 requeued)" = "requeue 18" ] || fail "stopped before it began, it did not go back into the queue"
