#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The same strong and weak study on 1, 2 and 4 hosts over fast links and slow ones: slow ones expose more of the all-reduce, and the
# report of both says so.
set -euo pipefail
# shellcheck source=tests/slurm/common.sh
. "$WHORL_TESTS/slurm/common.sh"

"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 40 --size 24 > /dev/null 2>&1
"$WHORL_BIN"/whorl-ingest --input flowers.tar --output flowers.h5 --size 16 > /dev/null 2>&1
printf '[train]\nbatch = 20\nshard = 5\n[optimizer]\nlearning_rate = 0.01\n[parallel]\nall_reduce = ring\n' > small.ini
printf '[study]\nrepeats = 2\n[train]\njob = small.ini\ndata = flowers.h5\nsteps = 1\n' > small.study

study() {  # study MBIT: into the folder at_MBIT
  local job node
  for node in n1 n2 n3 n4; do tc -n $node qdisc replace dev eth0 root tbf rate "$1mbit" burst 64k latency 50ms; done
  job=$(sbatch --parsable --nodes=4 --ntasks-per-node=1 slurm/study.sbatch --study small.study --run "at_$1")
  wait_for_job "$job" COMPLETED 180
}

# communication MBIT RANKS: the least seconds that a weak timing spends in the all-reduce; other load on the machine only adds to them.
communication() {
  awk -F , -v ranks="$2" '$2 == "weak" && $4 == ranks { s = $13 + $15; if (n++ == 0 || s < least) least = s } END { print least }' "at_$1/rows.csv"
}
holds() { awk "BEGIN { exit !($1) }"; }

study 1000
study 10

for mbit in 1000 10; do
  for scaling in strong weak; do
    for hosts in 1 2 4; do
      [ "$(grep -c "^train,$scaling,[a-z]*,$hosts,$hosts," at_$mbit/rows.csv)" -eq 2 ] || fail "at_$mbit: not two timings of $scaling scaling on $hosts hosts"
    done
  done
  # The limiter lets its burst through at once, which makes a megabyte faster than the rate by less than a tenth.
  measured=$(sed -n 's/.*"bytes_per_second": \([0-9.]*\).*/\1/p' at_$mbit/starts.json)
  holds "$measured < 1.1 * $mbit * 125000" || fail "the study takes a link of $mbit Mbit/s for one of $measured bytes/s"
done
for hosts in 2 4; do
  fast=$(communication 1000 $hosts) slow=$(communication 10 $hosts)
  # In a ring of P, each sends 2 (P - 1) / P of the gradients, which are 1.2 MB.
  holds "$slow > 0.8 * 2 * ($hosts - 1) / $hosts * 1.2 * 8 / 10" || fail "only $slow s of communication on $hosts hosts at 10 Mbit/s"
  holds "$slow > 1.5 * $fast" || fail "communication on $hosts hosts took $fast s over fast and $slow s over slow links"
done

"$WHORL_BIN"/whorl-report at_1000 at_10 --output report.html --markdown report.md
expect_text report.md "The scaling studies side by side"
grep -q "As the links between nodes slow, from at_1000 (.*/s) to at_10 (.*/s), exposed communication grows at all 4 points on several nodes. It differs most at .*: .* in at_1000, .* in at_10\." report.md ||
  fail "the report does not say that exposed communication grows: $(grep 'links between nodes' report.md)"
