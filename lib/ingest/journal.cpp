// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/journal.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/digest.hpp"
#include "base/file_system.hpp"

namespace whorl::ingest {

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::uint64_t number_at(std::string_view bytes) {
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

// The next record, which is removed from the front of `journal`; nothing if it is not whole.
std::optional<std::string_view> take_record(std::string_view& journal) {
  constexpr std::size_t frame = 2 * sizeof(std::uint64_t);
  if (journal.size() < frame) return std::nullopt;
  const std::uint64_t length = number_at(journal);
  if (length > journal.size() - frame) return std::nullopt;
  const std::string_view record = journal.substr(sizeof length, length);
  if (number_at(journal.substr(sizeof length + length)) != checksum_of(bytes_of(record))) return std::nullopt;
  journal.remove_prefix(frame + length);
  return record;
}

}  // namespace

Journal::Journal(const std::filesystem::path& path, const std::string& recipe, const std::string& data)
    : file_(path.string()) {
  write_record(bytes_of(recipe));
  write_record(bytes_of(data));
}

void Journal::append(std::span<const StoredPicture> pictures) {
  if (pictures.empty()) return;
  write_record(std::as_bytes(pictures));
  pictures_.insert(pictures_.end(), pictures.begin(), pictures.end());
}

void Journal::write_record(std::span<const std::byte> bytes) {
  const std::uint64_t length = bytes.size(), checksum = checksum_of(bytes);
  std::vector<std::byte> record;
  for (const auto part :
       {std::as_bytes(std::span(&length, 1)), bytes, std::as_bytes(std::span(&checksum, 1))})
    record.insert(record.end(), part.begin(), part.end());
  file_.append(record);
}

std::optional<JournalContent> read_journal(const std::filesystem::path& path) {
  const std::string text = read_text_file(path);
  std::string_view rest = text;
  const auto recipe = take_record(rest), data = take_record(rest);
  if (!recipe || !data) return std::nullopt;
  JournalContent content{std::string(*recipe), std::string(*data), {}};
  while (const auto record = take_record(rest)) {
    if (record->size() % sizeof(StoredPicture) != 0) break;
    std::vector<StoredPicture> pictures(record->size() / sizeof(StoredPicture));
    std::ranges::copy(std::as_bytes(std::span(*record)), std::as_writable_bytes(std::span(pictures)).begin());
    content.pictures.insert(content.pictures.end(), pictures.begin(), pictures.end());
  }
  return content;
}

}  // namespace whorl::ingest
