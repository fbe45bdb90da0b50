#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh [CTEST OPTIONS]: on a fresh Debian 12: installs the packages, builds everything, runs every test.
# WHORL_DATA_DIR names a folder with real pictures; without it, the tests that need them are skipped and say so.
set -euo pipefail

cd "$(dirname "$0")/.."
jobs/install_packages.sh --tests
cmake --preset release
cmake --build --preset release
ctest --preset release -j "$(nproc)" "$@"
