// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/block_range.hpp"
#include "image/jpeg.hpp"
#include "readbench/arena.hpp"

namespace whorl::readbench {

/// Pictures in one form of storage, read by one thread. Errors name the file and what is wrong with it.
class Source {
 public:
  virtual ~Source() = default;

  virtual std::int64_t count() const = 0;
  /// Every file that the pictures lie in.
  virtual std::vector<std::string> files() const = 0;
  /// Whether fetch() takes several neighbours at once for less than one by one.
  virtual bool fetches_runs() const { return false; }
  /// Appends the stored bytes of the pictures [first, first + count) to `out` and returns them; count is 1
  /// unless fetches_runs().
  virtual std::span<const std::uint8_t> fetch(std::int64_t first, std::int64_t count, Arena& out) = 0;
  /// Appends the pixels of one picture's stored bytes to `out`; only if decodes().
  virtual void decode(std::span<const std::uint8_t> stored, Arena& out) = 0;
  /// Whether stored bytes are something else than pixels, height x width x 3.
  virtual bool decodes() const = 0;
  /// These pictures will be read soon.
  virtual void will_need(Range) {}
  /// Throws if somebody has changed the files since they were opened, as far as that can be seen at no cost.
  virtual void require_unchanged() const {}
};

/// A source whose stored bytes are JPEG.
class JpegSource : public Source {
 public:
  /// `size`: decode to squares of this side; 0: as large as they are.
  explicit JpegSource(int size) : size_(size) {}
  void decode(std::span<const std::uint8_t> stored, Arena& out) override;
  bool decodes() const override { return true; }

 private:
  int size_;
  image::SquareDecoder decoder_;
};

/// A source whose stored bytes are the pixels.
class PixelSource : public Source {
 public:
  void decode(std::span<const std::uint8_t>, Arena&) override {}
  bool decodes() const override { return false; }
};

/// What --source can name, with what it is.
struct Kind {
  std::string name, description;
};
std::vector<Kind> kinds();

/// KIND=PATH.
struct SourceName {
  std::string kind;
  std::filesystem::path path;
};
/// Throws UsageError for an unknown kind.
SourceName parse_source(const std::string& text);
/// How tables and figures name a source: its kind, with its path where several have one kind.
std::string source_label(std::span<const SourceName> sources, std::size_t index);
/// `size` as for JpegSource.
std::unique_ptr<Source> open_source(const SourceName& name, int size);

std::unique_ptr<Source> open_folder(const std::filesystem::path& path, int size);
std::unique_ptr<Source> open_tar(const std::filesystem::path& path, int size);
std::unique_ptr<Source> open_cifar(const std::filesystem::path& path);
/// The train split of a dataset file, of stored pixels or of stored JPEG.
std::unique_ptr<Source> open_hdf5_pixels(const std::filesystem::path& path);
std::unique_ptr<Source> open_hdf5_jpeg(const std::filesystem::path& path, int size);
/// The same pixels by nothing but pread: what the operating system alone can do.
std::unique_ptr<Source> open_raw(const std::filesystem::path& path);
/// The table `pictures` of a database, see prepare(). Throws where whorl was built without SQLite.
std::unique_ptr<Source> open_sqlite(const std::filesystem::path& path, int size);

}  // namespace whorl::readbench
