#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Ranks that may have little memory: one that does not get what it needs says so, and ends the job.
set -euo pipefail
# shellcheck source=tests/e2e/resources/common.sh
. "$WHORL_TESTS/e2e/resources/common.sh"

if [ -n "$WHORL_SANITIZE" ]; then
  echo "skipped: programs built with -fsanitize=$WHORL_SANITIZE need more addresses than a limit can leave them"
  exit 77
fi

# In front of MEGABYTES PROGRAM ARGUMENTS...
# shellcheck disable=SC2016
with_memory=(timeout $((60 * slowness)) mpirun -n 2 bash -c 'ulimit -v "${0}000"; exec "$@"')

make_dataset flowers.h5 40
write_job job.ini
expect_failure 1 "${with_memory[@]}" 1200 "$WHORL_BIN"/whorl-train --job job.ini --data flowers.h5 --run run \
  --network.image_size=224 --train.batch=128 --train.shard=128
expect_in_output "out of memory: "
expect_in_output "a smaller train.shard"

# From enough to less than the program needs, but not to what MPI itself does: that may hang without memory.
"$WHORL_BIN"/make_pictures tree 3 5
for megabytes in $(seq 1000 -25 150); do
  status=0 start=$SECONDS
  "${with_memory[@]}" "$megabytes" "$WHORL_BIN"/whorl-ingest --input tree --output out.h5 --size 2048 --overwrite > output 2>&1 || status=$?
  [ $status -eq 0 ] || break
done
[ "$megabytes" -lt 1000 ] || fail "1000 MB are not enough"
[ $status -ne 0 ] || fail "$megabytes MB are enough"
[ $status -ne 124 ] && [ $((SECONDS - start)) -lt $((20 * slowness)) ] || fail "it took $((SECONDS - start)) s to end with $megabytes MB"
expect_in_output ": out of memory"
