#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A folder, a tar and compressed tars of it, whatever their names, give the same file.
. "$WHORL_TESTS/e2e/ingest/common.sh"

"$WHORL_BIN/make_pictures" tree 3 20
with_ranks 2 --input tree --output tree.h5 --size 48 >log 2>&1 || fail "folder"
cd tree
tar cf ../pictures.bin flowers
tar cf ../gnu --format=gnu --sort=name flowers
tar cf ../pax --format=pax flowers
tar czf ../zipped.jpg flowers
cd ..
kinds=(pictures.bin gnu pax zipped.jpg)
if command -v xz >/dev/null; then
  xz -c gnu >xz-file
  kinds+=(xz-file)
fi
for kind in "${kinds[@]}"; do
  with_ranks 3 --input "$kind" --output out.h5 --size 48 --overwrite >log 2>&1 || fail "$kind"
  cmp tree.h5 out.h5 || fail "$kind gives another file than the folder"
  [ "$(find . -name 'out.h5*')" = ./out.h5 ] || fail "left behind: $(find . -name 'out.h5*')"
done

# Two inputs with the same names.
with_ranks 2 --input tree --input gnu --output both.h5 --size 48 >log 2>&1 || fail "two inputs"
grep -Eq "^  all +[0-9]+ +[0-9]+$" log || fail "no summary"
[ "$(awk '$1 == "all" { print $2 + $3 }' log)" -eq 120 ] || fail "not all pictures of both inputs"
