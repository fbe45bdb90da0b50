#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# 400 Flowers give the same file for any number of ranks; all of 429 odd JPEGs are handled in bounded memory.
. "$WHORL_TESTS/e2e/ingest/common.sh"

[ -n "${WHORL_DATA_DIR:-}" ] || skip "WHORL_DATA_DIR is not set, so there are no real pictures"
flowers=$WHORL_DATA_DIR/flower_photos-400.tar
for store in pixels jpeg; do
  with_ranks 1 --input "$flowers" --output flowers.h5 --store $store --overwrite >log 2>&1 || fail "Flowers, $store"
  [ "$(awk '$1 == "all" { print $2 + $3 }' log)" -eq 400 ] || fail "not 400 pictures"
  for ranks in 2 3 4; do
    with_ranks $ranks --input "$flowers" --output again.h5 --store $store --overwrite >log 2>&1 || fail "Flowers, $ranks ranks"
    cmp flowers.h5 again.h5 || fail "Flowers as $store: another file with $ranks ranks"
  done
done

tar xJf "$WHORL_DATA_DIR/odd-jpegs.tar.xz"
cat >limited.sh <<SCRIPT
#!/usr/bin/env bash
[ -n "${WHORL_SANITIZE:-}" ] || ulimit -v 2000000
exec "$ingest" "\$@"
SCRIPT
chmod +x limited.sh
launch=(./limited.sh)
with_ranks 2 --input odd-jpegs --output odd.h5 --max-rejects 1 >log 2>&1 || fail "odd JPEGs"
handled=$(awk '$1 == "all" { n += $2 + $3 } /^odd.h5: / { n += $(NF - 1) } END { print n }' log)
[ "$handled" -eq 429 ] || fail "$handled odd JPEGs are accounted for, not 429"
