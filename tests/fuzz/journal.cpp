// SPDX-License-Identifier: BSD-3-Clause
// The journal of an interrupted ingest, and the pictures that it says are finished.
#include "ingest/journal.hpp"

#include <algorithm>
#include <cstring>

#include "base/digest.hpp"
#include "ingest/leftover.hpp"
#include "input.hpp"

namespace {

using namespace whorl;

/// Mutations never hit a checksum: here every record has the right one, behind the length that it claims.
std::string with_checksums(std::string journal) {
  constexpr std::size_t word = 8;
  for (std::size_t at = 0; at + 2 * word <= journal.size();) {
    std::uint64_t length = 0;
    std::memcpy(&length, journal.data() + at, word);
    length = std::min<std::uint64_t>(length % 4096, journal.size() - at - 2 * word);
    const std::uint64_t checksum = checksum_of(std::as_bytes(std::span(journal).subspan(at + word, length)));
    std::memcpy(journal.data() + at, &length, word);
    std::memcpy(journal.data() + at + word + length, &checksum, word);
    at += 2 * word + length;
  }
  return journal;
}

void take(const fuzz::TemporaryFile& file) {
  fuzz::refuse_or_take([&] {
    const auto content = ingest::read_journal(file.path());
    if (!content) return;
    ingest::Leftover leftover;
    leftover.files.push_back(file.path());
    std::vector<std::uint8_t> bytes;
    for (const ingest::StoredPicture& stored : content->pictures)
      ingest::read_finished(leftover, {stored, 0}, bytes);
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  take(fuzz::TemporaryFile(std::span(data, size)));
  take(fuzz::TemporaryFile(with_checksums(std::string(data, data + size))));
  return 0;
}
