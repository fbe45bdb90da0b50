# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# To be sourced: lets Open MPI's mpirun start RANKS ranks wherever the script runs.
# Containers run as root; small machines have fewer cores than ranks, and then waiting ranks must yield and not be bound.

allow_ranks() {
  if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
  if [ "$(nproc)" -lt "$1" ]; then
    export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
  fi
}
