# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Settings of a site, read by jobs/launch.sh in every job. Change what differs at yours; a value that is set already stays.
# Account and partition need no line here: sbatch itself reads SBATCH_ACCOUNT and SBATCH_PARTITION.

# module load gcc openmpi hdf5                    # what the programs were built with

: "${WHORL_BIN:=$root/build/release/bin}"         # the programs
: "${WHORL_LAUNCHER:=auto}"                       # srun | mpirun | auto: srun inside Slurm where it speaks the type below
: "${WHORL_SRUN_MPI:=pmix}"                       # srun --mpi=..., see srun --mpi=list; Open MPI starts by pmix only
: "${WHORL_MPIRUN_OPTIONS:=}"                     # further words for mpirun, such as --mca btl_tcp_if_include ib0
