#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The command line: help, typing errors, values out of range.
. "$WHORL_TESTS/e2e/ingest/common.sh"

with_ranks 2 --help >log
[ "$(grep -c "mpirun -n 4 whorl-ingest --input flower_photos --output flowers.h5" log)" -eq 1 ] || fail "--help shows no example, or twice"
grep -q -- "--max-rejects" log || fail "--help does not list the options"

expect_error 2 "unknown option --inputt; did you mean --input?" 2 --inputt tree --output out.h5
expect_error 2 "unknown option --test-fracton=0.1; did you mean --test-fraction?\|unknown option --test-fracton; did you mean --test-fraction?" \
  2 --input tree --output out.h5 --test-fracton 0.1
expect_error 2 "unknown option --xyz; --help lists all" 2 --input tree --output out.h5 --xyz
expect_error 2 "input PATH is missing" 2 --output out.h5
expect_error 2 "output FILE.h5 is missing" 2 --input tree
expect_error 2 "inputs are given as --input PATH" 2 tree --output out.h5
expect_error 2 "size" 2 --input tree --output out.h5 --size abc
expect_error 2 "size 0 is not between" 2 --input tree --output out.h5 --size 0
expect_error 2 "test-fraction 1.5 is not between" 2 --input tree --output out.h5 --test-fraction 1.5
expect_error 2 "max-rejects -1 is not between" 2 --input tree --output out.h5 --max-rejects=-1
expect_error 2 "watchdog 0.1 is neither 0 nor 2 or more" 2 --input tree --output out.h5 --watchdog 0.1
expect_error 2 "store png is neither" 2 --input tree --output out.h5 --store png
