#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# launch.sh [--ranks N] [--threads T] [--gpus] [--print] PROGRAM [ARGUMENTS...]: starts an MPI program on a workstation and in a
# Slurm job alike. In a job, Slurm says how many ranks; elsewhere --ranks does (default 1). Each rank is bound to T cores (default: the
# job's --cpus-per-task, else its share of what the job has of the node), with --gpus also to one of its node's GPUs. PROGRAM is one of
# whorl's or a path. --print shows the command line instead of running it.
# What was started where is noted in DIR/launch.txt for a program given --run DIR, in FILE.launch.txt for one given --output FILE.
# USR1 (sbatch --signal=B:USR1@SECONDS: the time is nearly over), TERM, ^C and a terminal that is closed are passed on to the program
# as USR1; a second ^C, and ^\, end it. Where it then ends with status 75 (stopped with a checkpoint: whorl-train), or its arguments hold
# --resume, the job goes back into the queue; but no more than three times from the same place.
set -euo pipefail

# The first thing: a job may be asked to stop as soon as it begins, and what follows can take a while on a busy machine.
pid='' asked='' out_of_time=''
# shellcheck disable=SC2317  # called by the traps
pass_on() { asked=1 interrupted=1; [ -z "$pid" ] || kill "-$1" "$pid" 2> /dev/null || true; }
stop() { pass_on USR1; }  # srun and mpirun pass USR1 on; at TERM they kill
trap 'out_of_time=1; stop' USR1
trap stop TERM HUP
trap '[ -n "$asked" ] && pass_on TERM || stop' INT
trap 'pass_on TERM' QUIT

usage() { sed -n '3,11s/^# //p' "$0" >&2; exit 2; }

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=slurm/site.sh
. "${WHORL_SITE:-$root/slurm/site.sh}"

ranks=${SLURM_NTASKS:-${SLURM_JOB_NUM_NODES:-1}} threads=${SLURM_CPUS_PER_TASK:-} gpus='' print=''
while [ $# -gt 0 ]; do
  case "$1" in
    --ranks) ranks=${2:-}; shift 2 || usage ;;
    --threads) threads=${2:-}; shift 2 || usage ;;
    --gpus) gpus=1; shift ;;
    --print) print=1; shift ;;
    -*) usage ;;
    *) break ;;
  esac
done
[ $# -ge 1 ] || usage
[[ $ranks =~ ^[1-9][0-9]*$ && ${threads:-1} =~ ^[1-9][0-9]*$ ]] || usage
program=$1
shift
[[ $program == */* ]] || program=$WHORL_BIN/$program
command -v "$program" > /dev/null || { echo "error: there is no program $program; build it, or set WHORL_BIN in slurm/site.sh" >&2; exit 1; }

# --- how many cores a rank gets, and whether it can have them for itself ---

nodes=${SLURM_JOB_NUM_NODES:-1}
ranks_per_node=$(((ranks + nodes - 1) / nodes))
cpus=${SLURM_CPUS_ON_NODE:-$(nproc)}  # that the job, or this process, may use
cores=$(lscpu --parse=CORE,SOCKET | grep -v '^#' | sort -u | wc -l)
[ "$cores" -lt "$cpus" ] || cores=$cpus
if [ -z "$threads" ]; then
  threads=$((cores / ranks_per_node))
  [ "$threads" -ge 1 ] || threads=1
fi
export OMP_NUM_THREADS=$threads
enough_cores() { [ $((ranks_per_node * threads)) -le "$cores" ]; }

if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
# mpirun must notice a host that is cut off: after 16 s, not 8 minutes.
export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-10} OMPI_MCA_oob_tcp_keepalive_intvl=2 OMPI_MCA_oob_tcp_keepalive_probes=3
# Waiting ranks must yield where others need their core.
if [ "$ranks_per_node" -gt "$cpus" ]; then export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1; fi

# --- the command line ---

srun_can_start_us() { srun --mpi=list 2>&1 | grep -qw "$WHORL_SRUN_MPI"; }
slurm_binds() { scontrol show config 2> /dev/null | grep -Eq '^TaskPlugin .*(affinity|cgroup)'; }

launcher=$WHORL_LAUNCHER
if [ "$launcher" = auto ]; then
  launcher=mpirun
  [ -z "${SLURM_JOB_ID:-}" ] || ! srun_can_start_us || launcher=srun
fi

case "$launcher" in
  srun)
    start=(srun "--mpi=$WHORL_SRUN_MPI" --ntasks="$ranks" --cpus-per-task="$threads" --kill-on-bad-exit=1)
    ! slurm_binds || start+=(--cpu-bind=cores)
    ;;
  mpirun)
    start=(mpirun --quiet -n "$ranks")  # our own messages say more than its eleven lines
    if enough_cores; then
      start+=(--map-by "ppr:$ranks_per_node:node:PE=$threads" --bind-to core)
    else
      start+=(--bind-to none)
    fi
    read -ra further <<< "$WHORL_MPIRUN_OPTIONS"
    start+=("${further[@]}")
    ;;
  *) echo "error: WHORL_LAUNCHER is $launcher; it can be srun, mpirun or auto" >&2; exit 2 ;;
esac

# Ranks of a node take its GPUs in turn.
# shellcheck disable=SC2016
one_gpu=(bash -c '
  IFS=, read -ra gpus <<< "${CUDA_VISIBLE_DEVICES:-$(nvidia-smi --query-gpu=index --format=csv,noheader | paste -sd,)}"
  [ ${#gpus[@]} -gt 0 ] || { echo "error: --gpus, but $(hostname) shows no GPU" >&2; exit 1; }
  export CUDA_VISIBLE_DEVICES=${gpus[${OMPI_COMM_WORLD_LOCAL_RANK:-$SLURM_LOCALID} % ${#gpus[@]}]}
  exec "$@"' one-gpu)
[ -z "$gpus" ] || start+=("${one_gpu[@]}")
start+=("$program" "$@")

if [ -n "$print" ]; then printf '%q ' "${start[@]}"; echo; exit 0; fi

# --- the note of what was started where ---

value_of() {  # value_of FLAG ARGUMENTS...: of the last "FLAG VALUE" or "FLAG=VALUE"
  local flag=$1 value=''
  shift
  while [ $# -gt 0 ]; do
    case "$1" in
      "$flag") value=${2:-} ;;
      "$flag="*) value=${1#*=} ;;
    esac
    shift
  done
  echo "$value"
}

resumable=''
for word in "$@"; do [ "$word" != --resume ] || resumable=1; done

note=/dev/null
run=$(value_of --run "$@") output=$(value_of --output "$@")
if [ -n "$run" ]; then
  # A folder that holds another run, or one that has ended, is left as it is; the program will refuse it.
  if [ -n "$resumable" ] || [ -e "$run/launch.txt" ] && [ ! -e "$run/verdict.txt" ] || [ -z "$(find "$run" -mindepth 1 ! -name launch.txt 2> /dev/null | head -n 1)" ]; then
    ! mkdir -p "$run" || note=$run/launch.txt
  fi
elif [ -n "$output" ] && [ -d "$(dirname "$output")" ]; then
  note=$output.launch.txt
fi

# Words that cannot be written, to a full disk or a terminal that is gone, are no reason to end.
say() { echo "$(date -u +%FT%TZ)  $*" >> "$note" || true; }
say_aloud() { say "$1"; echo "launch.sh: $1" >&2 || true; }

{
  say "started: $(printf '%q ' "${start[@]}")"
  echo "on $(hostname), $(uname -srm), $cores cores of $(lscpu | sed -n 's/^Model name: *//p'); in $PWD"
  echo "nodes ${SLURM_JOB_NODELIST:-$(hostname)}, ranks $ranks, cores for each $threads, modules ${LOADEDMODULES:-none}"
  env | grep -E '^(SLURM|OMPI|OMP|PMIX|UCX|NCCL|CUDA|HDF5|WHORL)_' | grep -v '^SLURM_JWT' | sort
  ulimit -a
} >> "$note" || true

# --- run it ---

run_program() {  # sets `status`
  setsid "${start[@]}" &  # away from the terminal, whose ^C would make srun and mpirun kill
  pid=$!
  [ -z "$asked" ] || stop  # it came between the last look and the start
  while :; do
    interrupted='' status=0
    wait "$pid" || status=$?
    [ -n "$interrupted" ] || break
  done
  say "ended: status $status"
}

if [ -z "$asked" ]; then
  run_program
else
  # Not started at all: it would die of the signal while it is not yet prepared for it.
  status=75
  say_aloud "asked to stop before the program was started"
fi

# --- back into the queue ---

fail() { say_aloud "error: $1"; exit 1; }

# Where the next start would go on: bytes in the journals of whorl-ingest, the timings of whorl-scale and the metrics of whorl-train, and
# the newest checkpoint.
place_in_work() {
  local bytes checkpoint
  bytes=$({ cat ${output:+"$output".partial-*/journal-*} ${run:+"$run"/rows.csv "$run"/metrics.csv} 2> /dev/null < /dev/null || true; } | wc -c)
  checkpoint=$({ find "${run:-/dev/null}/checkpoints" -name 'step-*.h5' -printf '%f\n' 2> /dev/null || true; } | sort | tail -n 1)
  echo "$bytes bytes of results${checkpoint:+, $checkpoint}"
}

[ "$status" -ne 0 ] || exit 0  # the signal came when all was done
[ -n "$out_of_time" ] || [ "$status" -eq 75 ] || exit "$status"
if { [ "$status" -eq 75 ] || [ -n "$resumable" ]; } && [ -n "${SLURM_JOB_ID:-}" ]; then
  # A job that somebody cancels is asked to stop like one that is preempted, but must not come back.
  [ "$(squeue --noheader --jobs "$SLURM_JOB_ID" --format %T)" = RUNNING ] || exit "$status"
  # A job may be preempted early, and more than once; but what takes longer than its time would be begun again for ever.
  here="(job $SLURM_JOB_ID: $(place_in_work))"
  [ "$({ grep -F "$here" "$note" || true; } | wc -l)" -lt 3 ] ||
    fail "stopped before its end once more, and three starts have come no further: what is next does not fit into the time; ask for more with --time"
  say_aloud "stopped before its end, and put back into the queue to go on from here $here"
  scontrol requeue "$SLURM_JOB_ID"
  exit
fi
[ "$status" -ne 75 ] || exit "$status"
fail "the time is nearly over; stopped unfinished: ask for more with --time"
