#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# in_fresh_folder.sh PROGRAM [ARGS...]: runs the program in an empty folder of its own, removed afterwards.
# mpirun works there whoever calls it (containers run tests as root) and on fewer cores than ranks.
set -euo pipefail

[ $# -ge 1 ] || { echo "usage: in_fresh_folder.sh PROGRAM [ARGS...]" >&2; exit 2; }

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_hwloc_base_binding_policy=none
# Open MPI's shared-memory "single copy" needs ptrace rights that containers often lack.
export OMPI_MCA_btl_vader_single_copy_mechanism=none

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$@"
