# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# To be sourced by scripts that run within lab.sh: a checkout to submit from, and waiting for jobs.

ln -s "$WHORL_TESTS/../jobs" "$WHORL_TESTS/../slurm" .

fail() {
  echo "FAILED: $1" >&2
  squeue -t all >&2
  tail -n 30 -- *.out >&2 || true
  tail -n 20 -- "${SLURM_CONF%/*}"/log/* >&2 || true
  exit 1
}

wait_for_job() {  # wait_for_job ID STATE SECONDS: every task of the job ends in this state
  local end=$((SECONDS + $3)) states
  while :; do
    states=$(squeue -h -r -j "$1" -t all -o %T | sort -u)
    case "$states" in
      "$2") return ;;
      *PENDING* | *CONFIGURING* | *RUNNING* | *COMPLETING*) ;;
      *) fail "job $1 ended as ${states//$'\n'/, } instead of $2" ;;
    esac
    [ $SECONDS -lt "$end" ] || fail "job $1 is still ${states//$'\n'/, } after $3 s"
    sleep 0.2
  done
}

wait_for_text() {  # wait_for_text FILE TEXT SECONDS
  local end=$((SECONDS + $3))
  until grep -qsF -- "$2" "$1"; do
    [ $SECONDS -lt "$end" ] || fail "$1 lacks, after $3 s: $2"
    sleep 0.2
  done
}

expect_text() {  # expect_text FILE TEXT
  grep -qF -- "$2" "$1" || fail "$1 lacks: $2"
}
