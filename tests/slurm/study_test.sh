#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A scaling study by slurm/study.sbatch on two hosts, in a job that is asked to stop once: it is put back into the queue and goes on.
# Then one on one host.
set -euo pipefail
# shellcheck source=tests/slurm/common.sh
. "$WHORL_TESTS/slurm/common.sh"

"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 40 --size 24 > /dev/null 2>&1
"$WHORL_BIN"/whorl-ingest --input flowers.tar --output flowers.h5 --size 16 > /dev/null 2>&1
printf '[train]\nbatch = 20\nshard = 5\n[optimizer]\nlearning_rate = 0.01\n' > small.ini
printf '[study]\nworkloads = train,ingest,read-warm\nscaling = strong,weak\nrepeats = 3\n[train]\njob = small.ini\ndata = flowers.h5\nsteps = 2\nall_reduces = ring,mpi\n[read]\npictures = 2560\n[ingest]\ninput = flowers.tar\nsize = 16\n' > small.study

study=$(sbatch --parsable --nodes=2 --ntasks-per-node=2 slurm/study.sbatch --study small.study --run study)
wait_for_text study/rows.csv "train," 60
scancel --batch --signal=USR1 "$study"
wait_for_text "study-$study.out" "put back into the queue" 30
rows_before=$(wc -l < study/rows.csv)
# Slurm itself waits until the credential of the first start has expired (5 s here, 2 minutes by default), and it must.
wait_for_job "$study" COMPLETED 150

# Ranks 1, 2 on one host, 2 on two hosts, 4: strong, weak x (train x ring, mpi; ingest; read-warm); three repeats; and the header.
[ "$(wc -l < study/rows.csv)" -eq $((4 * 2 * 4 * 3 + 1)) ] || fail "rows.csv has $(wc -l < study/rows.csv) lines"
[ "$rows_before" -lt 97 ] || fail "the study was not stopped before its end"
[ -z "$(cut -d , -f 1-9 study/rows.csv | sort | uniq -d)" ] || fail "a timing was made twice"
grep -q '^train,weak,spread,2,2,' study/rows.csv || fail "no timing with two ranks on two hosts"
grep -q '^train,weak,packed,2,1,' study/rows.csv || fail "no timing with two ranks on one host"
[ "$(grep -c '"started"' study/starts.json)" -eq 2 ] || fail "starts.json should have two starts"
for text in "train, strong scaling, batch 20, all-reduce ring, spread" "USL: X(P)" "Gustafson: X(P)" "ingest, strong scaling" "ingest, weak scaling" \
  "read-warm, weak scaling, spread"; do
  expect_text study/findings.txt "$text"
done

# On one node, as the sbatch file has it.
one_node=$(sbatch --parsable slurm/study.sbatch --study small.study --study.workloads=train --study.repeats=1 --train.all_reduces=ring \
  --run one_node)
wait_for_job "$one_node" COMPLETED 90
[ "$(grep -c '^train,[a-z]*,packed,[12],1,' one_node/rows.csv)" -eq 4 ] || fail "the study of one node has not 1 and 2 ranks, strong and weak"
