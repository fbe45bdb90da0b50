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

expect_error 1 "rank 2 (host .*): cannot write train/images in out.h5.partial" 3 --input tree --output out.h5 --size 192

# Killed without a word: the launcher ends the job, and nothing appears under the name.
cat >limited.sh <<SCRIPT
#!/usr/bin/env bash
if [ "\$OMPI_COMM_WORLD_RANK" -eq 1 ]; then ulimit -t 1; fi
exec "$ingest" "\$@"
SCRIPT
"$WHORL_BIN/make_pictures" more 3 500
start=$SECONDS
with_ranks 3 --input more --output out.h5 --size 1024 >log 2>&1 && fail "went on without a rank"
[ $((SECONDS - start)) -lt 20 ] || fail "took $((SECONDS - start)) s to notice a killed rank"
[ ! -e out.h5 ] || fail "a file appeared"
