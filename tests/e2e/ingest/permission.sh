#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Folders and files that may not be read or written. Root may do everything, so it becomes "nobody" for this test.
. "$WHORL_TESTS/e2e/ingest/common.sh"

as_user=()
if [ "$(id -u)" -eq 0 ]; then
  command -v setpriv >/dev/null || skip "root may read everything, and there is no setpriv to become another user"
  as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chmod 755 .
  # LeakSanitizer's own tracer crashes over the thread-local memory of a library that MPI has unloaded for this user.
  export LSAN_OPTIONS=${LSAN_OPTIONS:-}:use_tls=0
  "${as_user[@]}" test -x "$ingest" || skip "root may read everything, and the user nobody cannot reach $ingest"
fi
with_ranks() {
  local ranks=$1
  shift
  HOME=$PWD/home timeout --kill-after=5 60 "${as_user[@]}" mpirun -n "$ranks" "$ingest" "$@"
}

"$WHORL_BIN/make_pictures" tree 3 5
"$WHORL_BIN/make_pictures" locked 3 5
mkdir home result closed
tar cf locked.tar tree
touch log
chmod 777 home result log
chmod 000 locked/flowers/class-1 locked.tar
chmod 555 closed

expect_error 1 "cannot list locked/flowers/class-1: Permission denied" 2 --input locked --output result/out.h5
expect_error 1 "cannot open locked.tar: Permission denied" 2 --input locked.tar --output result/out.h5
expect_error 1 "cannot write closed/out.h5: Permission denied" 2 --input tree --output closed/out.h5

# A single picture without permission is a reject.
chmod 000 tree/flowers/class-2/picture-007.jpg
expect_interrupted 1 "class-2/picture-007.jpg: .*Permission denied" 2 --input tree --output result/out.h5 --size 32
with_ranks 2 --input tree --output result/out.h5 --size 32 --max-rejects 0.1 --resume >log 2>&1 || fail "one reject of 15 is allowed"
grep -q "rejected 1 pictures" log || fail "the reject is not listed"
chmod -R u+rwX locked locked.tar
