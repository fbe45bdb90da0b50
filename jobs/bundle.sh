#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bundle.sh FOLDER [BIN [PROGRAM...]]: makes FOLDER out of the programs in BIN (default build/release/bin): whorl's, and PROGRAM...,
# with mpirun, its plug-ins and every library they need, the C library included, so that it runs on any x86-64 Linux without root
# or packages. Copy it anywhere and call FOLDER/bin/mpirun, FOLDER/bin/whorl-train and so on. Programs built with CUDA find the
# driver's, CUDA's, cuDNN's and NCCL's libraries in LD_LIBRARY_PATH, in the system or in /usr/local/cuda.
set -euo pipefail

usage() { sed -n '3,6s/^# //p' "$0" >&2; exit 2; }
if [ $# -eq 0 ] || [[ $1 == -* ]]; then usage; fi
folder=$1
programs=${2:-$(cd "$(dirname "$0")/.." && pwd)/build/release/bin}
[ -x "$programs/whorl-train" ] || { echo "error: there are no programs in $programs: build them first" >&2; exit 1; }
if [ -e "$folder" ]; then echo "error: $folder exists already" >&2; exit 1; fi

ompi_path() { ompi_info --parsable --path "$1" | cut -d: -f3; }
plugins=$(ompi_path pkglibdir)
pmix_plugins=$(dirname "$(ldd "$plugins/mca_pmix_ext3x.so" | awk '$1 ~ /^libpmix/ {print $3}' | xargs -r readlink -f)")/pmix

mkdir -p "$folder"/{bin,programs,lib,openmpi/plugins,openmpi/pmix,openmpi/share}
for program in "${@:3}"; do cp "$programs/$program" "$folder/programs/"; done
cp "$programs"/whorl-* "$(readlink -f "$(command -v orted)")" "$folder/programs/"
cp "$(readlink -f "$(command -v mpirun)")" "$folder/programs/mpirun"
cp "$plugins"/*.so "$folder/openmpi/plugins/"
if [ -d "$pmix_plugins" ]; then cp "$pmix_plugins"/*.so "$folder/openmpi/pmix/"; fi
cp -r "$(ompi_path pkgdatadir)" "$folder/openmpi/share/openmpi"

# All that is loaded at the start; libraries of the GPU belong to its host.
find "$folder" -type f \( -path '*/programs/*' -o -name '*.so' \) -exec ldd {} + |
  awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\/.*ld-linux/ {print $1}' | sort -u |
  grep -Ev '/lib(cuda|cudart|cudnn|nccl|cublas|nvrtc)[^/]*$' | xargs cp -L -t "$folder/lib"

cat > "$folder/bin/run" <<'RUN'
#!/bin/sh
# Starts the program of this name with the libraries of this folder.
here=$(cd "${0%/*}/.." && pwd)
export OPAL_PREFIX="$here/openmpi" PMIX_INSTALL_PREFIX="$here/openmpi"
export OMPI_MCA_mca_base_component_path="$here/openmpi/plugins" PMIX_MCA_mca_base_component_path="$here/openmpi/pmix"
# Without ssh or Slurm there is one host, and mpirun must not look for more.
command -v ssh > /dev/null || [ -n "${SLURM_JOB_ID:-}" ] || export OMPI_MCA_plm=isolated
name=${0##*/}
exec "$here/lib/ld-linux-x86-64.so.2" --argv0 "$name" \
  --library-path "$here/lib:${LD_LIBRARY_PATH:-}:/usr/local/cuda/lib64" "$here/programs/$name" "$@"
RUN
chmod +x "$folder/bin/run"
for program in "$folder"/programs/*; do cp "$folder/bin/run" "$folder/bin/$(basename "$program")"; done
rm "$folder/bin/run"
echo "$folder: $(du -sh "$folder" | cut -f1), made of $programs"
