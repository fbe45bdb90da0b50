#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The same strong and weak study on 1, 2 and 4 hosts, with fast links and with slow ones: the exposed communication grows, and the
# report sets both side by side.
set -euo pipefail
# shellcheck source=tests/slurm/common.sh
. "$WHORL_TESTS/slurm/common.sh"

"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 40 --size 24 > /dev/null 2>&1
"$WHORL_BIN"/whorl-ingest --input flowers.tar --output flowers.h5 --size 16 > /dev/null 2>&1
printf '[train]\nbatch = 20\nshard = 5\n[optimizer]\nlearning_rate = 0.01\n' > small.ini
printf '[study]\nrepeats = 2\n[train]\njob = small.ini\ndata = flowers.h5\nsteps = 2\n' > small.study

study() {  # study NAME
  local job
  job=$(sbatch --parsable --nodes=4 --ntasks-per-node=1 slurm/study.sbatch --study small.study --run "$1")
  wait_for_job "$job" COMPLETED 180
}

# The least seconds that a weak timing on four ranks spends in the all-reduce: other load on the machine only adds to them.
communication() { awk -F , '$2 == "weak" && $4 == 4 { s = $13 + $15; if (n++ == 0 || s < least) least = s } END { print least }' "$1/rows.csv"; }

study fast_links
for node in n1 n2 n3 n4; do tc -n $node qdisc add dev eth0 root tbf rate 50mbit burst 64k latency 50ms; done
study slow_links

for name in fast_links slow_links; do
  [ "$(grep -c '^train,weak,[a-z]*,4,4,' $name/rows.csv)" -eq 2 ] || fail "$name: no two timings on four hosts"
done
fast=$(communication fast_links) slow=$(communication slow_links)
# A ring of four sends three halves of the gradients: 1.8 MB a step and rank take 0.28 s at 50 Mbit/s.
awk -v slow="$slow" 'BEGIN { exit !(slow > 0.4) }' || fail "only $slow s of communication over slow links"
awk -v fast="$fast" -v slow="$slow" 'BEGIN { exit !(slow > 1.5 * fast) }' || fail "communication took $fast s over fast and $slow s over slow links"

"$WHORL_BIN"/whorl-report fast_links slow_links --output report.html --markdown report.md
expect_text report.md "The scaling studies side by side"
grep -q "weak scaling.*4 ranks: exposed communication takes .* in fast_links and .* in slow_links" report.md ||
  fail "the report does not say that exposed communication grows: $(grep 'exposed communication takes' report.md)"
