// SPDX-License-Identifier: BSD-3-Clause
// Pictures in dataset files.
#include <algorithm>
#include <numeric>

#include "base/error.hpp"
#include "dataset/reader.hpp"
#include "dataset/stable_file.hpp"
#include "h5/file.hpp"
#include "readbench/source.hpp"

namespace whorl::readbench {

namespace {

using dataset::Split;
using dataset::Storage;

dataset::Reader open_reader(const std::filesystem::path& path, Storage storage) {
  dataset::Reader reader(path);
  require(reader.info().storage == storage, "{} stores {}, not {}; name it as {}=FILE", path.string(),
          to_string(reader.info().storage), to_string(storage), to_string(reader.info().storage));
  require(reader.info().train_count > 0, "{} has no training pictures", path.string());
  return reader;
}

class Hdf5PixelSource : public PixelSource {
 public:
  explicit Hdf5PixelSource(const std::filesystem::path& path) : reader_(open_reader(path, Storage::pixels)) {}
  std::int64_t count() const override { return reader_.info().train_count; }
  std::vector<std::string> files() const override { return {reader_.path()}; }
  bool fetches_runs() const override { return true; }
  std::span<const std::uint8_t> fetch(std::int64_t first, std::int64_t count, Arena& out) override {
    samples_.resize(static_cast<std::size_t>(count));
    std::iota(samples_.begin(), samples_.end(), first);
    const auto bytes = out.append(static_cast<std::size_t>(count) * reader_.info().image_bytes());
    reader_.read_images(Split::train, samples_, bytes.data());
    return bytes;
  }
  void will_need(Range samples) override { reader_.will_need(Split::train, samples.begin, samples.size()); }
  void require_unchanged() const override { reader_.require_unchanged(); }

 private:
  dataset::Reader reader_;
  std::vector<std::int64_t> samples_;
};

class Hdf5JpegSource : public JpegSource {
 public:
  Hdf5JpegSource(const std::filesystem::path& path, int size)
      : JpegSource(size), reader_(open_reader(path, Storage::jpeg)) {}
  std::int64_t count() const override { return reader_.info().train_count; }
  std::vector<std::string> files() const override { return {reader_.path()}; }
  std::span<const std::uint8_t> fetch(std::int64_t first, std::int64_t, Arena& out) override {
    reader_.read_jpeg(Split::train, first, stored_);
    const auto bytes = out.append(stored_.size());
    std::ranges::copy(stored_, bytes.begin());
    return bytes;
  }
  void will_need(Range samples) override { reader_.will_need(Split::train, samples.begin, samples.size()); }
  void require_unchanged() const override { reader_.require_unchanged(); }

 private:
  dataset::Reader reader_;
  std::vector<std::uint8_t> stored_;
};

class RawSource : public PixelSource {
 public:
  explicit RawSource(const std::filesystem::path& path) : file_(path) {
    const h5::File hdf5 = h5::File::open_read(path);
    const h5::Dataset images = h5::Dataset::open(hdf5, dataset::object_name(Split::train, "images"));
    offset_ = images.file_offset();
    require(offset_ >= 0, "{} is chunked or empty; raw bytes can be read only of a contiguous dataset",
            path.string());
    picture_ = static_cast<std::int64_t>(images.row_size());
    count_ = static_cast<std::int64_t>(images.rows());
  }
  std::int64_t count() const override { return count_; }
  std::vector<std::string> files() const override { return {file_.path()}; }
  bool fetches_runs() const override { return true; }
  std::span<const std::uint8_t> fetch(std::int64_t first, std::int64_t count, Arena& out) override {
    const auto bytes = out.append(static_cast<std::size_t>(count * picture_));
    file_.read(offset_ + first * picture_, std::as_writable_bytes(bytes), "pixels");
    return bytes;
  }
  void require_unchanged() const override { file_.require_unchanged(); }

 private:
  dataset::StableFile file_;
  std::int64_t offset_ = 0, picture_ = 0, count_ = 0;
};

}  // namespace

std::unique_ptr<Source> open_hdf5_pixels(const std::filesystem::path& path) {
  return std::make_unique<Hdf5PixelSource>(path);
}
std::unique_ptr<Source> open_hdf5_jpeg(const std::filesystem::path& path, int size) {
  return std::make_unique<Hdf5JpegSource>(path, size);
}
std::unique_ptr<Source> open_raw(const std::filesystem::path& path) {
  return std::make_unique<RawSource>(path);
}

}  // namespace whorl::readbench
