#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# jobs/fetch_data.sh against a file:// mirror, without network; the pictures are made-up bytes of a known checksum.
set -euo pipefail

fetch=$WHORL_TESTS/../jobs/fetch_data.sh
command -v curl > /dev/null || { echo "skipped: curl is not installed"; exit 77; }

fail() {
  echo "FAILED: $1" >&2
  sed 's/^/    | /' output >&2
  exit 1
}

mkdir mirror
seq 1 20000 > mirror/cifar-10-binary.tar.gz
mirror=file://$PWD/mirror
repacked=$(sha256sum < mirror/cifar-10-binary.tar.gz | cut -d ' ' -f 1)
whole=sets/cifar-10-binary.tar.gz

WHORL_FETCH_SHA256=$repacked "$fetch" cifar10 sets --from "$mirror/" > output 2>&1 || fail "a mirror given as a folder"
cmp -s "$whole" mirror/cifar-10-binary.tar.gz || fail "the copy differs"
[ ! -e "$whole.part" ] || fail "a partial file was left"
grep -q "whorl-ingest --input $whole " output || fail "it does not say what to run next"

mv mirror elsewhere
WHORL_FETCH_SHA256=$repacked "$fetch" cifar10 sets --from "$mirror/" > output 2>&1 || fail "a file that is there is fetched again"
mv elsewhere mirror

rm "$whole"
head -c 1000 mirror/cifar-10-binary.tar.gz > "$whole.part"
WHORL_FETCH_SHA256=$repacked "$fetch" cifar10 sets --from "$mirror/cifar-10-binary.tar.gz" > output 2>&1 || fail "resuming"
cmp -s "$whole" mirror/cifar-10-binary.tar.gz || fail "the resumed copy differs"

# A wrong beginning survives only if the download really goes on behind it.
rm "$whole"
head -c 1000 /dev/zero > "$whole.part"
if WHORL_FETCH_SHA256=$repacked "$fetch" cifar10 sets --from "$mirror/" > output 2>&1; then fail "it does not resume"; fi

if "$fetch" cifar10 sets --from "$mirror/" > output 2>&1; then fail "a wrong checksum passes"; fi
grep -q "^error: $mirror/cifar-10-binary.tar.gz is not the expected file" output || fail "a wrong checksum is not explained"
if [ -e "$whole" ] || [ -e "$whole.part" ]; then fail "a wrong file stays"; fi

if "$fetch" flowers sets --from "$mirror/missing.tgz" > output 2>&1; then fail "a missing file passes"; fi
grep -q "^error: cannot download $mirror/missing.tgz" output || fail "a failed download is not explained"

status=0
"$fetch" petals > output 2>&1 || status=$?
[ "$status" -eq 2 ] || fail "an unknown set: exit status $status"
grep -q '^usage: ' output || fail "an unknown set does not print the usage"

echo "fetch_data.sh: as expected"
