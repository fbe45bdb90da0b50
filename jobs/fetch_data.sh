#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# fetch_data.sh cifar10|flowers [DIR] [--from URL]: downloads a public set of pictures into DIR (default: data) and checks it.
# An interrupted download goes on where it stopped. --from takes a mirror or a file:// copy; a URL that ends in / is a folder.
# WHORL_FETCH_SHA256 replaces the expected checksum, for mirrors that packed the same pictures anew.
set -euo pipefail

usage() {
  echo "usage: fetch_data.sh cifar10|flowers [DIR] [--from URL]" >&2
  exit 2
}

set_name='' folder='' from=''
while [ $# -gt 0 ]; do
  case "$1" in
    --from) from=${2:-}; [ -n "$from" ] || usage; shift 2 ;;
    -*) usage ;;
    *) if [ -z "$set_name" ]; then set_name=$1; elif [ -z "$folder" ]; then folder=$1; else usage; fi; shift ;;
  esac
done
folder=${folder:-data}

case "$set_name" in
  cifar10)
    url=https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz
    sha256=c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd
    next="--size 32"
    ;;
  flowers)
    url=http://download.tensorflow.org/example_images/flower_photos.tgz
    sha256=4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c
    next="--size 192"
    ;;
  *) usage ;;
esac
name=$(basename "$url")
sha256=${WHORL_FETCH_SHA256:-$sha256}
case "$from" in
  '') ;;
  */) url=$from$name ;;
  *) url=$from ;;
esac
file=$folder/$name

is_whole() { [ -f "$1" ] && [ "$(sha256sum < "$1" | cut -d ' ' -f 1)" = "$sha256" ]; }

fetch() {
  command -v curl > /dev/null || { echo "error: curl is missing: apt-get install curl ca-certificates" >&2; exit 1; }
  mkdir -p "$folder"
  is_whole "$file.part" || curl --fail --location --continue-at - --retry 3 --output "$file.part" "$url" || {
    echo "error: cannot download $url; run the same command again to go on from $file.part, or name a mirror with --from URL" >&2
    exit 1
  }
  is_whole "$file.part" || {
    rm -f "$file.part"
    echo "error: $url is not the expected file (SHA-256 differs from $sha256); it was removed" >&2
    exit 1
  }
  mv "$file.part" "$file"
}

if is_whole "$file"; then echo "$file is already there"; else fetch; fi
echo "checksum verified: $file. Next:"
echo "  mpirun -n 2 build/release/bin/whorl-ingest --input $file --output $folder/$set_name.h5 $next"
