#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What is wrong with a source is named by one message, all ranks end in order, and none hangs.
. "$WHORL_TESTS/e2e/readbench/common.sh"

expect_error 2 "expected KIND=PATH" 2 --source zip=forms
expect_error 2 "--source KIND=PATH is missing" 2
expect_error 2 "--batch 8,x: expected whole numbers" 2 --source tar=forms/pictures.tar --batch 8,x
expect_error 2 "\"hot\" is none of cold, warm" 2 --source tar=forms/pictures.tar --cache hot
expect_error 2 "did you mean --repeat?" 2 --source tar=forms/pictures.tar --repeet 3
expect_error 2 "belong together" 2 --prepare other
expect_error 1 "forms is already there" 2 --prepare forms --from set.h5
expect_error 1 "nothing.h5" 3 --source pixels=nothing.h5
expect_error 1 "forms/jpeg.h5 stores jpeg, not pixels" 3 --source pixels=forms/jpeg.h5

head -c 20000 forms/pixels.h5 >cut.h5
expect_error 1 "cut.h5" 3 --source pixels=cut.h5
grep -q truncated log || fail "does not say that the file is truncated"

head -c 3000 /dev/urandom >noise.h5
expect_error 1 "noise.h5" 3 --source jpeg=noise.h5
head -c 20000 forms/pictures.tar >cut.tar
expect_error 1 "cut.tar" 3 --source tar=cut.tar
mkdir empty
expect_error 1 "empty holds no .jpg files" 3 --source folder=empty
cp -r forms/pictures damaged
for file in damaged/*; do head -c 200 "$file" >cut && mv cut "$file"; done
expect_error 1 "Premature end of JPEG file" 3 --source folder=damaged --batches 1

# Another schema: the same pictures without the attributes.
if command -v h5copy >/dev/null; then
  h5copy -i forms/pixels.h5 -o other.h5 -s /train -d /train
  expect_error 1 "other.h5 is an HDF5 file, but not a whorl dataset" 3 --source pixels=other.h5
fi

if [ -f forms/pictures.sqlite ]; then
  if command -v sqlite3 >/dev/null; then
    sqlite3 bare.sqlite "CREATE TABLE images (id INTEGER PRIMARY KEY, bytes BLOB)"
    expect_error 1 "no such table: pictures" 3 --source sqlite=bare.sqlite
    sqlite3 columns.sqlite "CREATE TABLE pictures (sample INTEGER PRIMARY KEY, bytes BLOB)"
    expect_error 1 "no such column: jpeg" 3 --source sqlite=columns.sqlite
    cp forms/pictures.sqlite gap.sqlite
    sqlite3 gap.sqlite "DELETE FROM pictures WHERE sample = 3"
    expect_error 1 "has no sample 3" 2 --source sqlite=gap.sqlite --order sequential
  fi
  expect_error 1 "file is not a database" 3 --source sqlite=noise.h5
fi

# Changed under us, in the middle of a long turn: the file grows, or is cut.
for change in "echo more >>" "truncate -s 30000"; do
  cp forms/pixels.h5 victim.h5
  (sleep 2 && eval "$change victim.h5") &
  expect_error 1 "victim.h5" 3 --source pixels=victim.h5 --batch 64 --batches 1000000 --cache cold
  wait
  grep -Eq "was changed while it was being read|truncated or has become shorter" log || fail "does not say what happened"
done
