# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# To be sourced: what the tests of scarce resources share.
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

# misbehaving KIND: the words before a program that make its system misbehave, see tests/support/misbehaving_system.cpp.
misbehaving() {
  words=(env LD_PRELOAD="$WHORL_BIN/misbehaving_system.so" MISBEHAVIOUR="$1" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0")
}
