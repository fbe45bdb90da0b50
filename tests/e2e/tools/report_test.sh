#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A scaling study that is killed and resumed, two trainings, a reading study, and the page that whorl-report makes of them.
set -euo pipefail

fail() {
  echo "FAILED: $1" >&2
  tail -n 40 output | sed 's/^/    | /' >&2
  exit 1
}
expect_text() { grep -qF -- "$2" "$1" || fail "$1 lacks: $2"; }

"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 40 --size 24 > output 2>&1
"$WHORL_BIN"/whorl-ingest --input flowers.tar --output flowers.h5 --size 16 > output 2>&1
printf '[train]\nepochs = 2\nbatch = 20\nshard = 5\n[optimizer]\nlearning_rate = 0.01\n' > small.ini
printf '[study]\nrepeats = 2\n[train]\njob = small.ini\ndata = flowers.h5\nsteps = 2\nall_reduces = ring,mpi\n' > small.study

# --- the study, killed once ---
scale=(mpirun -n 3 "$WHORL_BIN"/whorl-scale --study small.study --run study)
"${scale[@]}" > output 2>&1 &
pid=$!
until grep -qs '^train' study/rows.csv; do kill -0 $pid || fail "the study ended early"; sleep 0.05; done
kill -9 $pid
wait $pid || true
if "${scale[@]}" > output 2>&1; then fail "the folder of a study was used without --resume"; fi
expect_text output "holds a study, which --resume continues"
"${scale[@]}" --resume > output 2>&1 || fail "resuming the study"
[ "$(wc -l < study/rows.csv)" -eq $((3 * 2 * 2 * 2 + 1)) ] || fail "rows.csv has $(wc -l < study/rows.csv) lines"
[ -z "$(cut -d , -f 1-9 study/rows.csv | sort | uniq -d)" ] || fail "a timing was made twice"
if "${scale[@]}" --resume --train.steps=3 > output 2>&1; then fail "resumed as another study"; fi
expect_text output "another study"
if mpirun -n 1 "$WHORL_BIN"/whorl-scale --study small.study --run other --study.repeat=3 > output 2>&1; then fail "an unknown key"; fi
expect_text output "did you mean 'study.repeats'"

# --- trainings ---
for all_reduce in ring mpi; do
  mpirun -n 2 "$WHORL_BIN"/whorl-train --job small.ini --data flowers.h5 --run "by_$all_reduce" --parallel.all_reduce=$all_reduce \
    > output 2>&1 || fail "training"
done

# --- a reading study ---
mpirun -n 2 "$WHORL_BIN"/whorl-readbench --source pixels=flowers.h5 --source raw=flowers.h5 --batch 4,8 --batches 2,4 --repeat 2 \
  --order shuffled --decode on --output reading > output 2>&1 || fail "reading"

# --- the report ---
"$WHORL_BIN"/whorl-report study by_ring by_mpi reading --output report.html --markdown report.md --csv report.csv > output 2>&1 || fail "the report"
for text in "The training runs side by side" "Strategies compared" "train, weak scaling, batch 20 a rank, all-reduce ring" \
  "Where each rank" "USL: X(P)" 'href="by_mpi/metrics.csv"' 'href="study/rows.csv"' \
  "Reading study reading" 'href="reading/rows.csv"'; do
  grep -q "$text" report.html || fail "report.html lacks: $text"
done
# Every raw row stands in the page; nothing is fetched from elsewhere; no script.
while read -r row; do expect_text report.html "$row"; done < <(sed 's/"/\&quot;/g' study/rows.csv reading/rows.csv)
if grep -Eq '(src|href)="(https?:)?//|<script|@import' report.html; then fail "the page needs something outside of it"; fi
[ "$(stat -c %s report.html)" -lt 2000000 ] || fail "the page has $(stat -c %s report.html) bytes"
[ -z "$(grep -o ' id="[^"]*"' report.html | sort | uniq -d)" ] || fail "two elements have one id"
expect_text report.md "| ranks | nodes | timings |"
expect_text report.csv '"The training runs side by side","Runs","by_mpi","all-reduce","mpi"'

# A number of the page is that of the raw rows: the median of two weak timings on three ranks.
median=$(awk -F , '$2 == "weak" && $4 == 3 && $8 == "ring" { sum += $10 / $11 } END { printf "%.1f", sum / 2 }' study/rows.csv)
expect_text report.html "<td>$median</td>"
# The most images/s that pixels were read with, cold: columns of rows.csv by name.
most=$(awk -F , 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
  $column["source"] ~ /pixels/ && $column["cache"] ~ /cold/ && $column["images_per_second"] > most { most = $column["images_per_second"] }
  END { printf "%.0f", most }' reading/rows.csv)
grep -q "<td>pixels, cold, shuffled, decoded</td><td>[0-9]*</td><td>[0-9]* to $most</td>" report.html || fail "the most of pixels is not $most"

if command -v gnuplot > /dev/null; then
  # Two of each training and the phases, three of each of the four series, one of the comparison; of the reading rates cold and warm, both
  # side by side, and a fit of each source.
  [ "$(grep -c '<figure>' report.html)" -eq $((2 * 3 + 4 * 3 + 1 + 2 + 1 + 2)) ] || fail "$(grep -c '<figure>' report.html) figures"
else
  echo "gnuplot is not installed: figures were not looked at"
fi
mkdir none
PATH=$PWD/none "$WHORL_BIN"/whorl-report study --output plain.html > output 2>&1 || fail "the report without gnuplot"
expect_text plain.html "gnuplot is not installed"
if grep -q '<svg' plain.html; then fail "a figure without gnuplot"; fi

if "$WHORL_BIN"/whorl-report none --output x.html > output 2>&1; then fail "a folder that is no run"; fi
expect_text output "is not the folder of a training"
