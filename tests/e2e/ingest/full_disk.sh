#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A disk without enough room: known before the start, or found out on the way.
. "$WHORL_TESTS/e2e/ingest/common.sh"

if [ "${1:-}" != inside ]; then
  unshare --mount --map-root-user true 2>/dev/null || skip "no right to mount a small disk (needs root or user namespaces)"
  exec unshare --mount --map-root-user "$0" inside
fi
mkdir disk
mount -t tmpfs -o size=2m tmpfs disk || skip "no right to mount a small disk"
"$WHORL_BIN/make_pictures" tree 3 60
tar czf pictures.tar.gz tree

expect_error 1 "disk/out.h5 needs 19.9 MB, but only .* are free in disk" 3 --input tree --output disk/out.h5
# How much re-encoded pictures need is not known before.
expect_interrupted 1 "No space left on device" 3 --input tree --output disk/out.h5 --store jpeg --quality 100
grep -q "Finished pictures are kept in disk/out.h5.partial-.*--resume" log || fail "does not say how to go on"
mount -o remount,size=30m disk
with_ranks 2 --input tree --output disk/out.h5 --store jpeg --quality 100 --resume >log 2>&1 || fail "cannot be resumed"
grep -q "^resuming: [1-9]" log || fail "nothing was taken over"
with_ranks 1 --input tree --output undisturbed --store jpeg --quality 100 >log 2>&1 || fail "undisturbed"
cmp disk/out.h5 undisturbed || fail "resumed, it is another file"
rm disk/out.h5
mount -o remount,size=2m disk
# The pixels fit, but not beside the unpacked archive.
head -c 1900000 /dev/urandom >disk/other
expect_error 1 "No space left on device" 3 --input pictures.tar.gz --output disk/out.h5 --size 32
