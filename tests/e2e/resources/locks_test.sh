#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A file system without locks: nobody can tell whether another job is at work in a folder beside the output, so it is named and kept.
set -euo pipefail
# shellcheck source=tests/e2e/resources/common.sh
. "$WHORL_TESTS/e2e/resources/common.sh"

"$WHORL_BIN"/make_pictures tree 3 20
head -c 300 tree/flowers/class-1/picture-007.jpg > tree/flowers/class-1/broken.jpg
ingest=("$WHORL_BIN"/whorl-ingest --input tree --size 32 --store jpeg)
mpirun -n 2 "${ingest[@]}" --output whole.h5 --max-rejects 0.5 > output 2>&1 || fail "ingest"
expect_failure 1 mpirun -n 2 "${ingest[@]}" --output out.h5 --max-rejects 0
mkdir out.h5.partial-begins
echo "an archive that is being unpacked" > out.h5.partial-begins/input-0.tar
for folder in out.h5.partial-*; do touch "$folder/lock"; done
others=$(find . -path './out.h5.partial-*' | sort)

misbehaving locks
expect_failure 1 mpirun -n 2 "${words[@]}" "${ingest[@]}" --output out.h5
expect_in_output "no file locks to tell whether a job is at work in out.h5.partial-begins"
mpirun -n 2 "${words[@]}" "${ingest[@]}" --output out.h5 --max-rejects 0.5 --resume > output 2>&1 || fail "ingest without locks"
expect_in_output "no file locks to tell whether a job is at work in out.h5.partial-begins"
expect_in_output "pictures were finished before"
cmp whole.h5 out.h5 || fail "it is another file"
[ "$(find . -path './out.h5.partial-*' | sort)" = "$others" ] || fail "removed what may be another job's"

mpirun -n 2 "${ingest[@]}" --output out.h5 --resume > output 2>&1 || fail "ingest with locks"
expect_in_output "is finished already"
[ "$(find . -name 'out.h5*')" = ./out.h5 ] || fail "left behind: $(find . -name 'out.h5*')"
