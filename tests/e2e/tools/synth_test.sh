#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# whorl-synth: real JPEG files in class folders, the same for the same seed, and errors that say what to do.
set -euo pipefail

synth=$WHORL_BIN/whorl-synth

fail() {
  echo "FAILED: $1" >&2
  [ -f output ] && sed 's/^/    | /' output >&2
  exit 1
}
# expect_error STATUS TEXT ARGS...
expect_error() {
  local status=0 expected=$1 text=$2
  shift 2
  "$synth" "$@" > output 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || fail "status $status instead of $expected: whorl-synth $*"
  grep -qF -- "$text" output || fail "no \"$text\": whorl-synth $*"
}

"$synth" --output three.tar --per-class 3 --size 40 > output 2>&1 || fail "the first run"
grep -q '^15 pictures of 5 classes: three.tar$' output || fail "no summary"
tar -tf three.tar > names
[ "$(wc -l < names)" -eq 15 ] || fail "not 15 files"
for class in daisy dandelion roses sunflowers tulips; do
  [ "$(grep -c "^synth_flowers/$class/000[012].jpg$" names)" -eq 3 ] || fail "class $class"
done

tar -xf three.tar
[ "$(find synth_flowers -name '*.jpg' -exec head -c 2 {} \; | od -An -v -tx1 | tr -d ' \n')" = \
  "$(printf 'ffd8%.0s' {1..15})" ] || fail "not JPEG files"
[ "$(find synth_flowers -name '*.jpg' -exec cksum {} \; | cut -d ' ' -f 1 | sort -u | wc -l)" -eq 15 ] || fail "equal pictures"

"$synth" -o again.tar --per-class 3 --size 40 > output 2>&1 || fail "the second run"
cmp -s three.tar again.tar || fail "the same seed draws something else"
"$synth" -o other.tar --per-class 3 --size 40 --seed 2 > output 2>&1 || fail "another seed"
cmp -s three.tar other.tar && fail "another seed draws the same"
"$synth" -o more.tar --per-class 4 --size 40 > output 2>&1 || fail "more pictures"
mkdir more
tar -xf more.tar -C more
cmp -s synth_flowers/tulips/0002.jpg more/synth_flowers/tulips/0002.jpg || fail "asking for more changes the first ones"

expect_error 2 "--output FILE.tar" --seed 3
expect_error 2 "--size 8: between 16 and 4096" -o x.tar --size 8
expect_error 2 "--per-class 0: at least 1" -o x.tar --per-class 0
expect_error 2 "--colour" -o x.tar --colour red
expect_error 1 "nowhere/x.tar" -o nowhere/x.tar --per-class 1
"$synth" --help > output || fail "--help"
grep -q 'whorl-ingest --input FILE.tar' output || fail "--help does not say what to do with the tar"
[ -z "$(find . -name '.draft-*')" ] || fail "left behind: $(find . -name '.draft-*')"
