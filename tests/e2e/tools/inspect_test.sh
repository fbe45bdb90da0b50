#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# whorl-inspect on a small dataset with known contents: three pictures of each drawn class for training, one for testing, one reject.
set -euo pipefail

inspect=$WHORL_BIN/whorl-inspect
# As in tests/e2e/ingest/permission.sh: LeakSanitizer's own tracer crashes at times, here in programs without mpirun.
export LSAN_OPTIONS=${LSAN_OPTIONS:-}:use_tls=0

fail() {
  echo "FAILED: $1" >&2
  [ -f output ] && sed 's/^/    | /' output >&2
  exit 1
}
# expect PATTERN...: each matches a line of the output, runs of blanks taken as one
expect() {
  for pattern in "$@"; do
    sed 's/  */ /g' output | grep -Eq -- "$pattern" || fail "no line matches \"$pattern\""
  done
}
# expect_error STATUS TEXT ARGS...
expect_error() {
  local status=0 expected=$1 text=$2
  shift 2
  "$inspect" "$@" > output 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || fail "status $status instead of $expected: whorl-inspect $*"
  grep -qF -- "$text" output || fail "no \"$text\": whorl-inspect $*"
  ! grep -q MPI_ABORT output || fail "an error of one process makes noise: whorl-inspect $*"
}

"$WHORL_BIN/whorl-synth" --output flowers.tar --per-class 4 --size 40 > output 2>&1 || fail "whorl-synth"
tar -xf flowers.tar
mkdir -p set/train set/test
for class in synth_flowers/*; do
  name=$(basename "$class")
  mkdir "set/train/$name" "set/test/$name"
  mv "$class"/000[012].jpg "set/train/$name"
  mv "$class"/0003.jpg "set/test/$name"
done
head -c 300 set/train/roses/0000.jpg > set/train/roses/cut.jpg
"$WHORL_BIN/whorl-ingest" --input set --output flowers.h5 --size 24 --max-rejects 1 > output 2>&1 || fail "whorl-ingest"

"$inspect" flowers.h5 --rows 4 --sheet sheet.jpg > output 2>&1 || fail "whorl-inspect"
expect '^flowers.h5: 20 pictures of 24 x 24 pixels in 5 classes, stored as pixels$' \
  '^ train/images uint8 \(15, 24, 24, 3\) ' '^ test/labels int32 \(5,\) ' '^ class_names daisy, dandelion, roses, sunflowers, tulips$' \
  '^ roses 3 1$' '^ all 15 5$' '^ mean 0\.[0-9]{4} 0\.[0-9]{4} 0\.[0-9]{4}$' \
  '^ 3 .*dandelion/0000.jpg 1 dandelion [0-9.]+ [0-9.]+ [0-9.]+$' \
  '^rejected pictures: 1$' 'roses/cut.jpg: Premature end of JPEG file$' '^contact sheet of 15 pictures: sheet.jpg$'
! grep -q 'dandelion/0001.jpg' output || fail "more rows than asked for"
[ "$(head -c 2 sheet.jpg | od -An -tx1 | tr -d ' ')" = ffd8 ] || fail "the sheet is not a JPEG file"

"$inspect" flowers.h5 --rows 1 --split test --sheet test.jpg > output 2>&1 || fail "--split test"
expect '^first rows of test$' '^ 0 .*daisy/0003.jpg 0 daisy ' '^contact sheet of 5 pictures: test.jpg$'

"$inspect" flowers.h5 --verify > output 2>&1 || fail "--verify"
expect '^flowers.h5: all 20 pictures and everything else are as they were written$'
rows=$("$inspect" flowers.h5 --rows 15 | sed -n 's/^ *3  \([^ ]*\) .*/\1/p')
place=$(h5dump -p -H -d /train/images flowers.h5 2> /dev/null | sed -n 's/.*OFFSET \([0-9]*\).*/\1/p')
if [ -n "$place" ]; then
  cp flowers.h5 flipped.h5
  chmod u+w flipped.h5
  printf '\377\000' | dd of=flipped.h5 bs=1 seek=$((place + 3 * 24 * 24 * 3 + 5)) conv=notrunc status=none
  expect_error 1 "flipped.h5 is damaged:" flipped.h5 --verify
  grep -qxF "  train picture 3 ($rows)" output || fail "--verify does not name the picture"
fi
# Compressed by another program, the pictures keep their checksums; so do those that were damaged before.
if command -v h5repack > /dev/null; then
  h5repack -f GZIP=4 flowers.h5 packed.h5
  "$inspect" packed.h5 --verify > output 2>&1 || fail "--verify of a compressed file"
  expect '^packed.h5: all 20 pictures are as they were written; of everything else nothing can be said, as another program'
  h5repack -f train/images:GZIP=4 flowers.h5 packed_images.h5
  "$inspect" packed_images.h5 --verify > output 2>&1 || fail "--verify of compressed pictures"
  if [ -n "$place" ]; then
    h5repack -f GZIP=4 flipped.h5 packed_flipped.h5
    expect_error 1 "packed_flipped.h5 is damaged:" packed_flipped.h5 --verify
    grep -qxF "  train picture 3 ($rows)" output || fail "--verify of a compressed file does not name the picture"
  fi
fi
# Names may hold commands for a terminal, which none may get.
odd=odd/$'a\e[2J'
mkdir -p "$odd"
cp set/train/roses/0000.jpg "$odd"/$'\e]0;b\a.jpg'
echo broken > "$odd"/$'\e[31mbroken.jpg'
ln -s none "$odd"/$'\e[32mlink.jpg'
"$WHORL_BIN"/whorl-ingest --input odd --output odd.h5 --size 16 --max-rejects 1 > output 2>&1 || fail "odd names"
"$inspect" odd.h5 --rows 5 >> output 2>&1 || fail "odd names"
[ "$(grep -c 'a?\[2J/?\[31mbroken.jpg: ' output)" -eq 2 ] || fail "the reject is not listed by both"
! grep -q $'\e' output || fail "an escape sequence reaches the terminal"
expect_error 1 "nothing.h5" nothing.h5
expect_error 1 "set" set/train/roses/0000.jpg
expect_error 1 "nowhere/sheet.jpg" flowers.h5 --sheet nowhere/sheet.jpg
expect_error 2 "whorl-inspect FILE.h5"
expect_error 2 "--split val: there are train and test" flowers.h5 --split val
expect_error 2 "--rows -1" flowers.h5 --rows=-1
"$inspect" --help > output || fail "--help"
expect '--sheet'
