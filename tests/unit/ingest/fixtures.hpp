// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "image/image.hpp"
#include "support/temporary_folder.hpp"

namespace whorl::ingest::test {

using whorl::test::TemporaryFolder;

/// Missing folders are made.
void write_file(const std::filesystem::path& path, const std::string& bytes);

/// Smooth colours with a texture on them; every `number` looks different.
image::Image draw_picture(int height, int width, int number);
std::string jpeg_bytes(int height, int width, int number);

/// An uncompressed tar, written entry by entry. Paths up to 100 bytes go into the header, longer ones into a
/// GNU long name.
class TarWriter {
 public:
  /// `type`: '0' file, '5' folder, '2' link, 'x' pax header, ... The header is returned through `bytes` for
  /// later damage.
  void add(const std::string& name, const std::string& content, char type = '0');
  /// A pax header for the next entry: records without their lengths, such as "path=a/b".
  void add_pax(const std::vector<std::string>& records);
  /// Appends a header exactly as given, with a valid checksum, and no content.
  void add_header(const std::string& name, const std::string& size_field, char type = '0');
  std::string finished() const { return bytes + std::string(1024, '\0'); }

  std::string bytes;
};

/// A file below a class folder, or any other.
struct TreeFile {
  std::string path, content;
};
/// Pictures of several classes and sizes, a few files that are no pictures, a LICENSE.txt outside and a
/// hidden file.
std::vector<TreeFile> picture_tree(int classes, int pictures_per_class, bool with_broken_ones);
void write_tree(const std::filesystem::path& folder, const std::vector<TreeFile>& files);
std::string tar_of(const std::vector<TreeFile>& files);

/// `count` records of CIFAR-10's binary form; every value depends on batch, record and position.
std::string cifar_records(int batch, int count);

}  // namespace whorl::ingest::test
