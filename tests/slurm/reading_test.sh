#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Two hosts are examined by whorl-doctor, then slurm/readbench.sbatch measures reading on both and on one, and whorl-report makes a page of it.
set -euo pipefail
# shellcheck source=tests/slurm/common.sh
. "$WHORL_TESTS/slurm/common.sh"

doctor=$(sbatch --parsable --nodes=2 --ntasks-per-node=1 --output=doctor.out \
  --wrap "jobs/launch.sh whorl-doctor --scratch . --json doctor.json")
wait_for_job "$doctor" COMPLETED 90
expect_text doctor.out "2 ranks on 2 nodes (n1, n2)"
expect_text doctor.out "carried by eth0"
expect_text doctor.json '"verdict": "'

"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 10 --size 24 > /dev/null 2>&1
"$WHORL_BIN"/whorl-ingest --input flowers.tar --output flowers.h5 --size 16 > /dev/null 2>&1
"$WHORL_BIN"/whorl-readbench --prepare forms --from flowers.h5 > /dev/null
reading=$(sbatch --parsable --nodes=2 --ntasks-per-node=1 slurm/readbench.sbatch --source folder=forms/pictures \
  --source pixels=forms/pixels.h5 --batch 4,8 --batches 2,4 --repeat 2 --output reading)
one_node=$(sbatch --parsable slurm/readbench.sbatch --source pixels=forms/pixels.h5 --batch 4 --batches 2 --repeat 1 --output one_node)
wait_for_job "$reading" COMPLETED 90
expect_text reading.launch.txt "SLURM_JOB_ID=$reading"
expect_text "readbench-$reading.out" "pixels: "
# Two sources, batch sizes, numbers of batches, orders, cache states, with and without decoding, repeats; and the header.
[ "$(wc -l < reading/rows.csv)" -eq $((2 ** 7 + 1)) ] || fail "rows.csv has $(wc -l < reading/rows.csv) lines"
tr -d ' \n' < reading/report.json | grep -q '"hosts":\["n1","n2"\]' || fail "it did not run on n1 and n2"
"$WHORL_BIN"/whorl-report reading --markdown reading.md
expect_text reading.md "on 2 ranks on 2 hosts"
wait_for_job "$one_node" COMPLETED 60
tr -d ' \n' < one_node/report.json | grep -qE '"hosts":\["n(1","n1|2","n2)"\]' || fail "two ranks did not read on one node"
