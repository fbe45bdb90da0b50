#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A rank that is stopped at its very end, where no watchdog looks after it any more, does not keep the others for ever.
set -euo pipefail
# shellcheck source=tests/e2e/resources/common.sh
. "$WHORL_TESTS/e2e/resources/common.sh"

make_dataset flowers.h5 20
misbehaving stopped
expect_failure 1 mpirun -n 3 "${words[@]}" "$WHORL_BIN"/whorl-inspect "$PWD/flowers.h5" --verify
expect_in_output "error: waited 300 s for other ranks to end; this ends the job"
! pgrep -f "whorl-inspect $PWD/flowers.h5" > /dev/null || fail "a rank is left"
