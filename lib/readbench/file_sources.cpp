// SPDX-License-Identifier: BSD-3-Clause
// Pictures in files without HDF5: one file each, a tar, CIFAR-10 batches.
#include <algorithm>
#include <cctype>
#include <utility>

#include "base/error.hpp"
#include "dataset/stable_file.hpp"
#include "ingest/cifar.hpp"
#include "ingest/folder_tree.hpp"
#include "ingest/tar.hpp"
#include "readbench/source.hpp"

namespace whorl::readbench {

namespace {

using dataset::StableFile;

bool is_jpeg_name(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return extension == ".jpg" || extension == ".jpeg";
}

void keep_jpegs(ingest::Listing& listing) {
  std::erase_if(listing.entries, [](const ingest::Entry& entry) { return !is_jpeg_name(entry.path); });
  require(!listing.entries.empty(), "{} holds no .jpg files", listing.location);
}

class FolderSource : public JpegSource {
 public:
  FolderSource(ingest::Listing listing, int size) : JpegSource(size), listing_(std::move(listing)) {}
  std::int64_t count() const override { return std::ssize(listing_.entries); }
  std::vector<std::string> files() const override {
    std::vector<std::string> files;
    for (const ingest::Entry& entry : listing_.entries) files.push_back(listing_.file_of(entry));
    return files;
  }
  std::span<const std::uint8_t> fetch(std::int64_t first, std::int64_t, Arena& out) override {
    const ingest::Entry& entry = listing_.entries[static_cast<std::size_t>(first)];
    const StableFile file(listing_.file_of(entry));
    require(file.size() == entry.size, "{} was changed while it was being read: {} bytes, not {}",
            file.path(), file.size(), entry.size);
    const auto bytes = out.append(static_cast<std::size_t>(entry.size));
    file.read(0, std::as_writable_bytes(bytes), "the picture");
    return bytes;
  }

 private:
  ingest::Listing listing_;
};

class TarSource : public JpegSource {
 public:
  TarSource(const std::filesystem::path& path, ingest::Listing listing, int size)
      : JpegSource(size), file_(path), entries_(std::move(listing.entries)) {}
  std::int64_t count() const override { return std::ssize(entries_); }
  std::vector<std::string> files() const override { return {file_.path()}; }
  std::span<const std::uint8_t> fetch(std::int64_t first, std::int64_t, Arena& out) override {
    const ingest::Entry& entry = entries_[static_cast<std::size_t>(first)];
    const auto bytes = out.append(static_cast<std::size_t>(entry.size));
    file_.read(entry.offset, std::as_writable_bytes(bytes), entry.path);
    return bytes;
  }
  void require_unchanged() const override { file_.require_unchanged(); }

 private:
  StableFile file_;
  std::vector<ingest::Entry> entries_;
};

class CifarSource : public Source {
 public:
  explicit CifarSource(std::vector<ingest::CifarBatch> batches) : batches_(std::move(batches)) {
    for (const ingest::CifarBatch& batch : batches_) {
      files_.emplace_back(batch.file);
      begins_.push_back(count_);
      count_ += std::ssize(batch.labels);
    }
  }
  std::int64_t count() const override { return count_; }
  std::vector<std::string> files() const override {
    std::vector<std::string> files;
    for (const StableFile& file : files_) files.push_back(file.path());
    return files;
  }
  std::span<const std::uint8_t> fetch(std::int64_t first, std::int64_t, Arena& out) override {
    const auto which =
        static_cast<std::size_t>(std::ranges::upper_bound(begins_, first) - begins_.begin() - 1);
    const ingest::CifarBatch& batch = batches_[which];
    const auto bytes = out.append(ingest::cifar_picture_bytes);
    files_[which].read(batch.offset + (first - begins_[which]) * batch.stride, std::as_writable_bytes(bytes),
                       "a picture");
    return bytes;
  }
  /// Three planes become one picture of three channels.
  void decode(std::span<const std::uint8_t> stored, Arena& out) override {
    constexpr std::size_t plane = ingest::cifar_picture_bytes / 3;
    const auto pixels = out.append(ingest::cifar_picture_bytes);
    for (std::size_t i = 0; i < plane; ++i)
      for (std::size_t channel = 0; channel < 3; ++channel)
        pixels[i * 3 + channel] = stored[channel * plane + i];
  }
  bool decodes() const override { return true; }
  void require_unchanged() const override {
    for (const StableFile& file : files_) file.require_unchanged();
  }

 private:
  std::vector<ingest::CifarBatch> batches_;
  std::vector<StableFile> files_;
  std::vector<std::int64_t> begins_;  // the first picture of each batch
  std::int64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Source> open_folder(const std::filesystem::path& path, int size) {
  ingest::Listing listing = ingest::list_folder(path.string());
  keep_jpegs(listing);
  return std::make_unique<FolderSource>(std::move(listing), size);
}

std::unique_ptr<Source> open_tar(const std::filesystem::path& path, int size) {
  const ingest::InputFile file(path.string());
  require(ingest::is_tar(file), "{} is not a tar, or a compressed one; unpack or re-pack it first",
          path.string());
  ingest::Listing listing = ingest::list_tar(file);
  keep_jpegs(listing);
  return std::make_unique<TarSource>(path, std::move(listing), size);
}

std::unique_ptr<Source> open_cifar(const std::filesystem::path& path) {
  ingest::Listing listing = ingest::list_folder(path.string());
  std::erase_if(listing.entries, [](const ingest::Entry& entry) { return !entry.path.ends_with(".bin"); });
  // Binary batches need no scratch file.
  auto found = ingest::find_cifar(listing, {});
  require(found.has_value(), "{} holds no binary CIFAR-10 batches (data_batch_1.bin, ...)", path.string());
  return std::make_unique<CifarSource>(std::move(found->batches));
}

}  // namespace whorl::readbench
