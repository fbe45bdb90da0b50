// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ingest/append_file.hpp"

namespace whorl::ingest {

/// Where the bytes of a finished picture lie.
struct StoredPicture {
  std::int64_t item = 0;       ///< index into Manifest::items
  std::int64_t offset = 0;     ///< in the data file
  std::int64_t size = 0;       ///< bytes
  std::uint64_t checksum = 0;  ///< checksum_of() them
};

/// The pictures that one rank has stored, also noted in a file, so that another job can go on where this one
/// was killed. Data are written first, then noted.
///
/// The file is a sequence of records: length, bytes, checksum_of(bytes), the numbers as uint64. The first two
/// are the texts `recipe` and `data`, each further one an array of StoredPicture.
class Journal {
 public:
  /// Creates `path`. `recipe`: see recipe_of(); `data`: the file, in the journal's folder, that holds the
  /// pictures.
  Journal(const std::filesystem::path& path, const std::string& recipe, const std::string& data);

  /// Their bytes are in the data file now.
  void append(std::span<const StoredPicture> pictures);
  const std::vector<StoredPicture>& pictures() const { return pictures_; }

 private:
  void write_record(std::span<const std::byte> bytes);
  AppendFile file_;
  std::vector<StoredPicture> pictures_;
};

struct JournalContent {
  std::string recipe, data;
  std::vector<StoredPicture> pictures;
};

/// What a journal says, up to the first record that is torn or damaged; nothing if its beginning is.
std::optional<JournalContent> read_journal(const std::filesystem::path& path);

}  // namespace whorl::ingest
