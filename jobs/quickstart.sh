#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# quickstart.sh [--run DIR]: from nothing to a trained and evaluated network on this machine, in a few minutes: installs the Debian
# packages, builds, draws flowers, writes them into an HDF5 dataset with 2 ranks, trains with 2 ranks, evaluates.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=$root/build/quickstart
run=$work/run

while [ $# -gt 0 ]; do
  case "$1" in
    --run) run=$(realpath -m "${2:?--run needs a folder}"); shift 2 ;;
    *) echo "usage: quickstart.sh [--run DIR]" >&2; exit 2 ;;
  esac
done

stage() {  # stage TITLE COMMAND...: runs it, says how long it took
  local title=$1 start=$SECONDS
  shift
  echo "== $title"
  "$@"
  echo "== $title: $((SECONDS - start)) s"
  echo
}

programs=(whorl-synth whorl-ingest whorl-inspect whorl-train whorl-eval whorl-allreduce)  # half the time that all take

build() {
  local log=$work/build.log
  # Tests and benchmarks need further packages; a folder that is configured already stays as it is.
  local configure=(--preset release -DWHORL_TESTS=OFF -DWHORL_BENCH=OFF)
  [ ! -f "$root/build/release/CMakeCache.txt" ] || configure=(build/release)
  if ! (cd "$root" && cmake "${configure[@]}" && cmake --build --preset release --target "${programs[@]}") > "$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "error: the build failed; the whole log is $log" >&2
    return 1
  fi
}

launch=$root/jobs/launch.sh
mkdir -p "$work"

stage "Debian packages" "$root/jobs/install_packages.sh"
stage "build" build
stage "draw flowers" "$root/build/release/bin/whorl-synth" --output "$work/flowers.tar"
stage "pictures -> HDF5, 2 ranks" \
  "$launch" --ranks 2 whorl-ingest --input "$work/flowers.tar" --output "$work/flowers.h5" --size 32 --resume
stage "train, 2 ranks" "$launch" --ranks 2 whorl-train --job "$root/jobs/quickstart.ini" --data "$work/flowers.h5" --run "$run"
stage "evaluate" "$root/build/release/bin/whorl-eval" --run "$run" --data "$work/flowers.h5"

echo "whole run: $SECONDS s; the run folder is $run"
echo "the other programs, for studies, reports and a look at the machine: cmake --build --preset release --target apps"
