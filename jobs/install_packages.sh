#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# install_packages.sh [--tests]: installs the Debian packages that whorl is built with (--tests: also what its tests need).
# Offline it is enough that they are there already. Without root or sudo it prints the command to run and stops.
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config
  libopenmpi-dev openmpi-bin libhdf5-openmpi-dev
  libjpeg62-turbo-dev libarchive-dev libdnnl-dev libhwy-dev
  libboost-program-options-dev libfmt-dev nlohmann-json3-dev libxxhash-dev
  libsqlite3-dev
)
test_packages=(libgtest-dev libgmock-dev libbenchmark-dev hdf5-tools sqlite3 curl ca-certificates slurm-wlm munge iproute2 gnuplot-nox)

case "${1:-}" in
  '') ;;
  --tests) packages+=("${test_packages[@]}") ;;
  *) echo "usage: install_packages.sh [--tests]" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=(env)
elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
  as_root=(sudo env)
else
  echo "These Debian packages are missing, and installing them needs root. Run this, then try again:" >&2
  echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

echo "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update &&
       "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } > "$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "error: apt-get could not install the packages; the lines above say why" >&2
  exit 1
fi
