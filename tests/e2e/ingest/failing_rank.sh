#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# One rank alone cannot go on in the middle of the work: it may not write files larger than 20 MB. The whole job ends.
. "$WHORL_TESTS/e2e/ingest/common.sh"

"$WHORL_BIN/make_pictures" tree 3 100
cat >limited.sh <<SCRIPT
#!/usr/bin/env bash
[ "\$OMPI_COMM_WORLD_RANK" -ne 2 ] || ulimit -f 20000
exec "$ingest" "\$@"
SCRIPT
chmod +x limited.sh
launch=(./limited.sh)

expect_interrupted 1 "rank 2 (host .*): cannot write train/images in out.h5.partial" 3 --input tree --output out.h5 --size 192
[ ! -e out.h5 ] || fail "a file appeared"

# What was finished is kept, named, and taken over, once the rank may write.
grep -q "Finished pictures are kept in out.h5.partial-.*--resume" log || fail "does not say how to go on"
left=$(ls -d out.h5.partial-*)
[ "$(stat -c %a "$left")" = 700 ] || fail "others can look into $left"
expect_interrupted 1 "$left is what an interrupted job left" 3 --input tree --output out.h5 --size 192
[ "$(ls -d out.h5.partial-*)" = "$left" ] || fail "the leftover was touched"
limited=("${launch[@]}")
launch=("$ingest")
with_ranks 2 --input tree --output out.h5 --size 192 --resume >log 2>&1 || fail "cannot be resumed"
grep -q "^resuming: [1-9][0-9]* of 300 pictures were finished before" log || fail "does not say what was taken over"
with_ranks 1 --input tree --output undisturbed --size 192 >log 2>&1 || fail "undisturbed"
cmp out.h5 undisturbed || fail "resumed, it is another file"
[ "$(find . -name 'out.h5*')" = ./out.h5 ] || fail "left behind: $(find . -name 'out.h5*')"
rm out.h5
launch=("${limited[@]}")

# Killed without a word: the launcher ends the job, and nothing appears under the name.
cat >limited.sh <<SCRIPT
#!/usr/bin/env bash
if [ "\$OMPI_COMM_WORLD_RANK" -eq 1 ]; then ulimit -t 1; fi
exec "$ingest" "\$@"
SCRIPT
"$WHORL_BIN/make_pictures" more 3 500
start=$SECONDS
with_ranks 3 --input more --output out.h5 --size 1024 >log 2>&1 && fail "went on without a rank"
[ $((SECONDS - start)) -lt $((20 * slowness)) ] || fail "took $((SECONDS - start)) s to notice a killed rank"
[ ! -e out.h5 ] || fail "a file appeared"
