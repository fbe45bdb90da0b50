#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mpirun.sh RANKS PROGRAM [ARGS...]: runs the program under mpirun in a fresh folder; kills it after 100 s (times
# WHORL_TEST_SLOWNESS), so that a hang becomes a failure that says so.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: mpirun.sh RANKS PROGRAM [ARGS...]" >&2; exit 2; }
ranks=$1
shift
seconds=$((100 * ${WHORL_TEST_SLOWNESS:-1}))

status=0
"$(dirname "$0")"/in_fresh_folder.sh timeout --kill-after=5 "$seconds" mpirun -n "$ranks" "$@" || status=$?
[ "$status" -ne 124 ] || echo "killed: still running after $seconds s" >&2
exit "$status"
