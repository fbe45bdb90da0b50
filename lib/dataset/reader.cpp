// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/unique_handle.hpp"
#include "h5/file.hpp"
#include "image/jpeg.hpp"

namespace whorl::dataset {

namespace {

struct DescriptorTraits {
  static int invalid() { return -1; }
  static void release(int descriptor) noexcept { ::close(descriptor); }
};
using Descriptor = UniqueHandle<int, DescriptorTraits>;

/// HDF5 is not thread-safe: whoever calls it after construction holds this, whichever the file.
std::mutex& hdf5_mutex() {
  static std::mutex mutex;
  return mutex;
}

Descriptor open_descriptor(const std::string& path) {
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  require(static_cast<bool>(descriptor), "cannot open {}: {}", path, system_error_text(errno));
  return descriptor;
}

/// Rows of uint8 in the file: by pread where they lie contiguously, else through HDF5.
struct ByteRows {
  h5::Dataset dataset;
  std::int64_t offset = -1;  // of the first row in the file; -1: only HDF5 can read it
  std::size_t row_size = 0;
  std::string name;
};

bool holds_plain_bytes(const h5::File& file, const std::string& name) {
  const std::string what = "read the type of " + name + " in " + file.path();
  const h5::DatasetId dataset(h5::check_id(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), what));
  const h5::Type type(h5::check_id(H5Dget_type(dataset.get()), what));
  return H5Tequal(type.get(), H5T_NATIVE_UINT8) > 0;
}

ByteRows open_rows(const h5::File& file, const std::string& name) {
  ByteRows rows{h5::Dataset::open(file, name), -1, 0, name};
  if (holds_plain_bytes(file, name)) rows.offset = rows.dataset.file_offset();
  rows.row_size = rows.dataset.row_size();
  return rows;
}

struct SplitData {
  ByteRows bytes;                           // pictures, or the JPEG stream
  std::vector<std::uint64_t> jpeg_offsets;  // (N + 1), empty for stored pixels
  std::vector<std::int32_t> labels;         // (N)
  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

void check_labels(const std::string& path, Split split, std::span<const std::int32_t> labels,
                  std::size_t classes) {
  for (std::size_t i = 0; i < labels.size(); ++i)
    require(labels[i] >= 0 && static_cast<std::size_t>(labels[i]) < classes,
            "{}: {} of sample {} is {}, but there are {} classes; the file is damaged", path,
            object_name(split, "labels"), i, labels[i], classes);
}

std::string shape_text(const std::vector<hsize_t>& shape) {
  std::string text;
  for (const hsize_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "(" + text + ")";
}

void check_pixel_shape(const std::string& path, const SplitData& data, int image_size) {
  const auto side = static_cast<hsize_t>(image_size);
  const std::vector<hsize_t> expected{data.labels.size(), side, side, 3};
  require(data.bytes.dataset.shape() == expected, "{}: {} has shape {} where labels and image_size say {}",
          path, data.bytes.name, shape_text(data.bytes.dataset.shape()), shape_text(expected));
}

void check_jpeg_offsets(const std::string& path, const SplitData& data) {
  const std::vector<std::uint64_t>& offsets = data.jpeg_offsets;
  const bool whole = offsets.size() == data.labels.size() + 1 && offsets.front() == 0 &&
                     offsets.back() == data.bytes.dataset.rows() &&
                     std::is_sorted(offsets.begin(), offsets.end());
  require(whole, "{}: jpeg_offsets beside {} do not cut it into {} pictures; the file is damaged", path,
          data.bytes.name, data.labels.size());
}

SplitData read_split(const h5::File& file, const Info& info, Split split) {
  SplitData data{
      open_rows(file, object_name(split, info.storage == Storage::pixels ? "images" : "jpeg_bytes")),
      {},
      h5::Dataset::open(file, object_name(split, "labels")).read_all<std::int32_t>()};
  check_labels(file.path(), split, data.labels, info.class_names.size());
  if (info.storage == Storage::jpeg) {
    data.jpeg_offsets = h5::Dataset::open(file, object_name(split, "jpeg_offsets")).read_all<std::uint64_t>();
    check_jpeg_offsets(file.path(), data);
  } else {
    check_pixel_shape(file.path(), data, info.image_size);
  }
  return data;
}

std::array<double, 3> read_channels(const h5::File& file, const char* name) {
  const std::vector<double> values = h5::read_real_attribute(file, "/", name);
  require(values.size() == 3, "{}: attribute {} has {} values, not 3", file.path(), name, values.size());
  return {values[0], values[1], values[2]};
}

void check_format(const h5::File& file) {
  const bool ours =
      h5::has_attribute(file, "/", "format") && h5::read_text_attribute(file, "/", "format") == format_name;
  require(ours,
          "{} is an HDF5 file, but not a whorl dataset (its root has no attribute format = \"{}\"); make one "
          "with whorl-ingest",
          file.path(), format_name);
  const std::int64_t version = h5::read_integer_attribute(file, "/", "schema_version");
  require(version <= schema_version,
          "{} has dataset schema {}, this program reads {}: it was made by a newer whorl, use that one",
          file.path(), version, schema_version);
  require(version == schema_version,
          "{} has dataset schema {}, this program reads {}: ingest the pictures again", file.path(), version,
          schema_version);
}

Info read_info(const h5::File& file) {
  check_format(file);
  Info info;
  const std::int64_t image_size = h5::read_integer_attribute(file, "/", "image_size");
  require(image_size >= 1 && image_size <= 65535, "{}: attribute image_size is {}", file.path(), image_size);
  info.image_size = static_cast<int>(image_size);
  const std::string storage = h5::read_text_attribute(file, "/", "storage");
  require(storage == "pixels" || storage == "jpeg",
          "{}: attribute storage is \"{}\", neither pixels nor jpeg", file.path(), storage);
  info.storage = storage == "jpeg" ? Storage::jpeg : Storage::pixels;
  info.class_names = h5::read_strings_attribute(file, "/", "class_names");
  info.channel_mean = read_channels(file, "channel_mean");
  info.channel_std = read_channels(file, "channel_std");
  info.source_digest = h5::read_text_attribute(file, "/", "source_digest");
  return info;
}

}  // namespace

struct Reader::Impl {
  h5::File file;
  Descriptor descriptor;
  Info info;
  std::array<SplitData, 2> splits;  // train, test

  const SplitData& split(Split which) const { return splits[which == Split::train ? 0 : 1]; }
  void read_bytes(const ByteRows& rows, std::uint64_t first, std::span<std::uint8_t> out) const;
  void read_stored_jpeg(const SplitData& data, std::size_t sample, std::uint8_t* out) const;
};

/// `out` = rows from `first` on.
void Reader::Impl::read_bytes(const ByteRows& rows, std::uint64_t first, std::span<std::uint8_t> out) const {
  if (rows.offset < 0) {
    const std::lock_guard lock(hdf5_mutex());
    rows.dataset.read_rows<std::uint8_t>(first, out);
    return;
  }
  auto position = static_cast<off_t>(static_cast<std::uint64_t>(rows.offset) + first * rows.row_size);
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor.get(), out.data(), out.size(), position);
    if (got < 0 && errno == EINTR) continue;
    require(got >= 0, "cannot read {} of {}: {}", rows.name, file.path(), system_error_text(errno));
    require(got > 0, "cannot read {} of {}: the file has become shorter while it was open", rows.name,
            file.path());
    out = out.subspan(static_cast<std::size_t>(got));
    position += got;
  }
}

void Reader::Impl::read_stored_jpeg(const SplitData& data, std::size_t sample, std::uint8_t* out) const {
  const std::uint64_t begin = data.jpeg_offsets[sample];
  std::vector<std::uint8_t> bytes(data.jpeg_offsets[sample + 1] - begin);
  read_bytes(data.bytes, begin, bytes);
  try {
    image::decode_jpeg_square(bytes, info.image_size, out);
  } catch (const image::DecodeError& error) {
    throw Error("picture {} in {} of {} is damaged: {}", sample, data.bytes.name, file.path(), error.what());
  }
}

Reader::Reader(const std::filesystem::path& path) {
  const std::lock_guard lock(hdf5_mutex());
  h5::File file = h5::File::open_read(path);
  Info info = read_info(file);
  Descriptor descriptor = open_descriptor(file.path());
  SplitData train = read_split(file, info, Split::train);
  SplitData test = read_split(file, info, Split::test);
  info.train_count = train.count();
  info.test_count = test.count();
  impl_ = std::make_unique<Impl>(
      Impl{std::move(file), std::move(descriptor), std::move(info), {std::move(train), std::move(test)}});
}

Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&& other) noexcept {
  impl_.swap(other.impl_);
  return *this;
}

Reader::~Reader() {
  const std::lock_guard lock(hdf5_mutex());
  impl_.reset();
}

const Info& Reader::info() const {
  return impl_->info;
}
const std::string& Reader::path() const {
  return impl_->file.path();
}
std::span<const std::int32_t> Reader::labels(Split split) const {
  return impl_->split(split).labels;
}

void Reader::read_images(Split split, std::span<const std::int64_t> samples, std::uint8_t* out) const {
  const SplitData& data = impl_->split(split);
  const std::size_t image_bytes = impl_->info.image_bytes();
  for (const std::int64_t sample : samples) {
    require(sample >= 0 && sample < data.count(), "{} has no {} sample {}: it holds {}", path(),
            to_string(split), sample, data.count());
    if (data.jpeg_offsets.empty())
      impl_->read_bytes(data.bytes, static_cast<std::uint64_t>(sample), {out, image_bytes});
    else
      impl_->read_stored_jpeg(data, static_cast<std::size_t>(sample), out);
    out += image_bytes;
  }
}

std::vector<std::string> Reader::names(Split split, std::int64_t first, std::int64_t count) const {
  const std::lock_guard lock(hdf5_mutex());
  return h5::read_strings(impl_->file, object_name(split, "names"), static_cast<hsize_t>(first),
                          static_cast<hsize_t>(count));
}

std::vector<Reader::Reject> Reader::rejects() const {
  const std::lock_guard lock(hdf5_mutex());
  const std::vector<std::string> names = h5::read_strings(impl_->file, "rejected/name");
  const std::vector<std::string> reasons = h5::read_strings(impl_->file, "rejected/reason");
  require(names.size() == reasons.size(), "{}: rejected/name has {} rows, rejected/reason {}", path(),
          names.size(), reasons.size());
  std::vector<Reject> rejects;
  for (std::size_t i = 0; i < names.size(); ++i) rejects.push_back({names[i], reasons[i]});
  return rejects;
}

std::string Reader::digest() const {
  const Info& info = impl_->info;
  Digest digest;
  const auto add_text = [&](const std::string& text) {
    const std::uint64_t length = text.size();
    digest.add(std::as_bytes(std::span(&length, 1)));
    digest.add(text);
  };
  add_text(info.source_digest);
  add_text(to_string(info.storage));
  add_text(std::to_string(info.image_size));
  for (const std::string& name : info.class_names) add_text(name);
  digest.add(std::as_bytes(std::span(info.channel_mean)));
  digest.add(std::as_bytes(std::span(info.channel_std)));
  for (const SplitData& split : impl_->splits) {
    add_text(std::to_string(split.count()));
    digest.add(std::as_bytes(std::span(split.labels)));
  }
  return digest.hex();
}

}  // namespace whorl::dataset
