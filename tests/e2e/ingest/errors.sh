#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Inputs and outputs that cannot be used: one clear message, the whole job ends, nothing appears.
. "$WHORL_TESTS/e2e/ingest/common.sh"

"$WHORL_BIN/make_pictures" tree 3 5
mkdir empty flat other
cp tree/flowers/class-0/*.jpg flat
for class in a b; do
  mkdir "other/$class"
  echo "text" >"other/$class/1.txt"
done

expect_error 1 "cannot read the input none: No such file or directory" 3 --input none --output out.h5
expect_error 1 "empty is empty: it holds no files" 3 --input empty --output out.h5
expect_error 1 "flat holds no pictures in class folders (5 files elsewhere" 3 --input flat --output out.h5
expect_error 1 "2 of 2 pictures cannot be used" 3 --input other --output out.h5
expect_error 1 "neither a folder nor a tar archive" 3 --input flat/picture-000.jpg --output out.h5
expect_error 1 "cannot write none/out.h5: the folder none does not exist" 3 --input tree --output none/out.h5

tar cf whole.tar tree
head -c 20000 whole.tar >short.tar
expect_error 1 "short.tar: truncated archive" 3 --input short.tar --output out.h5
gzip -c whole.tar | head -c 9000 >short.tar.gz
expect_error 1 "cannot decompress short.tar.gz" 3 --input short.tar.gz --output out.h5

# A file of that name stays as it is, unless it is to be replaced.
echo old >out.h5
with_ranks 2 --input tree --output out.h5 --size 32 >log 2>&1 && fail "replaced a file unasked"
grep -q "out.h5 exists already" log || fail "does not say that the file exists"
with_ranks 2 --input other --output out.h5 --size 32 --overwrite >log 2>&1 && fail "ingested text files"
[ "$(cat out.h5)" = old ] || fail "a failed job replaced the file"
with_ranks 2 --input tree --output out.h5 --size 32 --overwrite >log 2>&1 || fail "cannot replace a file"
[ "$(head -c 4 out.h5 | tail -c 3)" = HDF ] || fail "not replaced"
[ "$(find . -name 'out.h5*')" = ./out.h5 ] || fail "left behind: $(find . -name 'out.h5*')"

# What a killed job left without a finished picture is of no use to anybody.
mkdir out.h5.partial-abcdef
touch out.h5.partial-abcdef/pictures.h5
with_ranks 2 --input tree --output out.h5 --size 32 --overwrite >log 2>&1 || fail "minds an empty leftover"
[ "$(find . -name 'out.h5*')" = ./out.h5 ] || fail "left behind: $(find . -name 'out.h5*')"

# Another job is at work.
mkdir out.h5.partial-abcdef
flock out.h5.partial-abcdef/lock mpirun -n 2 "$ingest" --input tree --output out.h5 --size 32 --resume --overwrite >log 2>&1 && fail "resumes what is at work"
grep -q "another job is writing out.h5 now, in out.h5.partial-abcdef" log || fail "does not say that a job is at work"
rm -r out.h5.partial-abcdef

# More ranks than pictures is no error, and gives the same file.
"$WHORL_BIN/make_pictures" few 2 1
with_ranks 1 --input few --output one.h5 --size 32 >log 2>&1 || fail "one rank"
with_ranks 5 --input few --output five.h5 --size 32 >log 2>&1 || fail "more ranks than pictures"
cmp one.h5 five.h5 || fail "the file depends on the number of ranks"
