#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# --device gpu trains and evaluates where there is a GPU; elsewhere it fails in one clear line and leaves no run folder.
set -euo pipefail
# shellcheck source=tests/e2e/train/common.sh
. "$WHORL_TESTS/e2e/train/common.sh"

make_dataset flowers.h5 8
write_job job.ini

if "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --device gpu --run on_gpu > output 2>&1; then
  "$WHORL_BIN"/whorl-eval --run on_gpu > output 2>&1 || fail "evaluation on a GPU"
  expect_in_output "top-1"
else
  grep -q "no gpu backend\|has no GPU that CUDA can use" output || fail "the cause is missing"
  [ "$(grep -c 'whorl-train: error' output)" -eq 1 ] || fail "there should be one message"
  [ "$(wc -l < output)" -eq 1 ] || fail "there should be one line"
  [ ! -e on_gpu ] || fail "a failed start left a run folder"
  mpirun -n 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --device gpu --run on_gpu > output 2>&1 && fail "two ranks"
  [ "$(grep -c 'whorl-train: error' output)" -eq 1 ] || fail "there should be one message of two ranks"
fi

expect_failure 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --parallel.precision=float16 --run half
expect_in_output "parallel.precision must be float32 where parallel.device is not gpu"
expect_failure 2 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --parallel.precision=float17 --run half
expect_in_output "float32, tf32, float16, bfloat16"

# What one backend has trained, another evaluates.
"$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run on_cpu > output 2>&1 || fail "training"
"$WHORL_BIN"/whorl-eval --run on_cpu > output 2>&1 || fail "evaluation on the CPU"
grep "^top-1" output > by_cpu
"$WHORL_BIN"/whorl-eval --run on_cpu --device reference > output 2>&1 || fail "evaluation by the reference"
grep -q "^top-1 $(grep -o '[0-9.]* %' by_cpu | head -n 1)" output || fail "the reference finds another accuracy"
