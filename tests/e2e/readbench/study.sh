#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The whole study on a small set: the command that --prepare prints runs, with every record and figure.
. "$WHORL_TESTS/e2e/readbench/common.sh"

sources=$(grep -o -- '--source [^ ]*' log | tr '\n' ' ')
for kind in folder tar pixels jpeg cifar raw; do
  grep -q -- "--source $kind=" <<<"$sources" || fail "no $kind among $sources"
done

# shellcheck disable=SC2086
with_ranks 3 $sources --batch 3,5 --batches 2,4 --repeat 2 --prefetch 0,2 --output study >log 2>&1 || fail "the study"
count=$(wc -w <<<"$sources")
turns=$((count / 2 * 2 * 2 * 2 * 2 * 2 * 2 * 2))  # sources, batch, batches, order, cache, decode, prefetch, repeat
[ "$(wc -l <study/rows.csv)" -eq $((turns + 1)) ] || fail "$(wc -l <study/rows.csv) lines of CSV, not $turns and a heading"
for name in tar pixels raw; do
  grep -Eq "^  $name: [0-9]+ images/s warm .*x single files" log || fail "no conclusion about $name"
done
grep -q "1/b: images/s" study/report.txt || fail "no fits"
grep -q "batch x batches" study/report.txt || fail "no regressions"
grep -q '"seconds_of_images"' study/report.json || fail "no fits in the JSON"
if command -v gnuplot >/dev/null; then
  for figure in cold_against_warm rate_warm_shuffled_decoded fit_folder_1; do
    grep -q "</svg>" "study/figures/$figure.svg" || fail "no figure $figure"
  done
fi

# Without gnuplot on the path: everything but figures, and it says so.
timeout 60 mpirun -n 1 env PATH=/nowhere "$readbench" --source pixels=forms/pixels.h5 --batch 2 --batches 2 --output bare >log 2>&1 ||
  fail "without gnuplot"
grep -q "gnuplot is not installed (Debian: gnuplot-nox)" log || fail "does not say that gnuplot is missing"
[ -f bare/figures/fit_pixels_1.gp ] || fail "no script to draw later"

# The window order; with one number of pictures there are points and no line.
with_ranks 2 --source pixels=forms/pixels.h5 --order window --block 4 --window-blocks 2 --batch 4 --batches 10 --output window >log 2>&1 ||
  fail "--order window"
grep -q "window" log || fail "no line about the window order"
