// SPDX-License-Identifier: BSD-3-Clause
// A tar from outside, and the classes that its folders mean.
#include "ingest/tar.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "ingest/class_folders.hpp"
#include "ingest/manifest.hpp"
#include "ingest/scan.hpp"
#include "input.hpp"

namespace {

using namespace whorl;

constexpr std::size_t block = 512;

/// Mutations seldom hit the checksum of a header: every block gets one, in the place where headers have it.
std::string with_checksums(std::span<const std::uint8_t> bytes) {
  std::string tar(bytes.begin(), bytes.end());
  for (std::size_t at = 0; at + block <= tar.size(); at += block) {
    constexpr std::size_t checksum = 148, digits = 8;
    if (std::all_of(tar.begin() + at, tar.begin() + at + block, [](char c) { return c == 0; })) continue;
    tar.replace(at + checksum, digits, digits, ' ');
    unsigned sum = 0;
    for (std::size_t i = at; i < at + block; ++i) sum += static_cast<std::uint8_t>(tar[i]);
    tar.replace(at + checksum, digits, fmt::format("{:06o} ", sum) + '\0');
  }
  return tar;
}

void check(const ingest::Entry& entry, std::int64_t file_size) {
  fuzz::must_hold(entry.size >= 0 && entry.offset >= 512 && entry.offset <= file_size - entry.size,
                  "an entry lies within the archive");
  fuzz::must_hold(("/" + entry.path + "/").find("/../") == std::string::npos &&
                      !entry.path.starts_with('/') && entry.path.find('\0') == std::string::npos &&
                      !entry.path.empty(),
                  "a path stays within the archive");
}

void take(const fuzz::TemporaryFile& tar, std::size_t size) {
  fuzz::refuse_or_take([&] {
    const ingest::InputFile file(tar.path());
    ingest::is_tar(file);
    const ingest::Listing listing = ingest::list_tar(file);
    for (const ingest::Entry& entry : listing.entries) check(entry, static_cast<std::int64_t>(size));
    ingest::find_class_folders(listing.entries);
  });
  fuzz::refuse_or_take([&] {
    const fuzz::TemporaryFile scratch(std::string_view{});
    const ingest::Scan scan = ingest::scan({.inputs = {tar.path()}, .scratch = scratch.path()});
    const std::string bytes = serialise(scan.manifest);
    fuzz::must_hold(serialise(ingest::deserialise(bytes)) == bytes, "a manifest survives its broadcast");
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  take(fuzz::TemporaryFile(std::span(data, size)), size);
  take(fuzz::TemporaryFile(with_checksums({data, size})), size);
  return 0;
}
