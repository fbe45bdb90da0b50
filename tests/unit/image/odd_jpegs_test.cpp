// SPDX-License-Identifier: BSD-3-Clause
#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>

#include "image/jpeg.hpp"
#include "image/resize.hpp"

namespace whorl::image {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::map<std::string, Bytes> read_archive(const std::filesystem::path& path) {
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_xz(reader.get());
  if (archive_read_open_filename(reader.get(), path.c_str(), 1 << 20) != ARCHIVE_OK)
    throw Error("cannot open {}: {}", path.string(), archive_error_string(reader.get()));
  std::map<std::string, Bytes> files;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    Bytes bytes(static_cast<std::size_t>(archive_entry_size(entry)));
    if (archive_read_data(reader.get(), bytes.data(), bytes.size()) != la_ssize_t(bytes.size()))
      throw Error("{} is cut short", path.string());
    files[archive_entry_pathname(entry)] = bytes;
  }
  return files;
}

/// The column `name` of manifest.tsv by file name in the archive.
std::map<std::string, std::string> manifest_column(const Bytes& manifest, const std::string& name) {
  std::map<std::string, std::string> column;
  std::istringstream lines(std::string(manifest.begin(), manifest.end()));
  std::string line;
  std::size_t index = 0;
  while (std::getline(lines, line)) {
    std::vector<std::string> fields(1);
    for (const char c : line) c == '\t' ? void(fields.emplace_back()) : fields.back().push_back(c);
    if (index == 0)
      index = static_cast<std::size_t>(std::find(fields.begin(), fields.end(), name) - fields.begin());
    else
      column["odd-jpegs/" + fields.at(0) + "/" + fields.at(1)] = fields.at(index);
  }
  return column;
}

std::string verdict_of_square(const Bytes& jpeg, Bytes& pixels) {
  pixels.assign(192 * 192 * 3, 0);
  try {
    decode_jpeg_square(jpeg, 192, pixels.data());
  } catch (const DecodeError& error) {
    return error.what();
  }
  return "";
}

/// 429 files that broke other decoders. djpeg's verdict is `ok`, `error`, or `warn`, which here may go either
/// way.
TEST(OddJpegs, EachIsDecodedOrRejectedInTime) {
  const char* data = std::getenv("WHORL_DATA_DIR");
  if (data == nullptr)
    GTEST_SKIP() << "WHORL_DATA_DIR is unset; it would name a folder with odd-jpegs.tar.xz";
  const auto files = read_archive(std::filesystem::path(data) / "odd-jpegs.tar.xz");
  const auto djpeg = manifest_column(files.at("odd-jpegs/manifest.tsv"), "djpeg");
  EXPECT_EQ(djpeg.size(), 429U);
  for (const auto& [name, expected] : djpeg) {
    SCOPED_TRACE(name);
    const Bytes& jpeg = files.at(name);
    Bytes square, by_parts(192 * 192 * 3);
    const auto start = std::chrono::steady_clock::now();
    const std::string error = verdict_of_square(jpeg, square);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    if (expected != "warn") {
      EXPECT_EQ(error.empty(), expected == "ok") << error;
    }
    if (error.empty()) {
      resize_and_crop(decode_jpeg(jpeg, 192), 192, by_parts.data());
      EXPECT_EQ(square, by_parts);
    } else {
      EXPECT_THROW(decode_jpeg(jpeg, 192), DecodeError);
    }
  }
}

}  // namespace
}  // namespace whorl::image
