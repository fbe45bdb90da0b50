// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/reader.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "dataset/integrity.hpp"
#include "dataset/stable_file.hpp"
#include "dataset/stored_rows.hpp"
#include "h5/file.hpp"
#include "image/jpeg.hpp"

namespace whorl::dataset {

namespace {

struct SplitData {
  StoredRows<std::uint8_t> bytes;                         // pictures, or the JPEG stream
  std::optional<StoredRows<std::uint64_t>> jpeg_offsets;  // (N + 1), of stored JPEG
  StoredRows<std::int32_t> labels;                        // (N)
  std::optional<StoredRows<std::uint64_t>> checksums;     // (N), of pictures; older files have none
  std::int64_t count() const { return static_cast<std::int64_t>(labels.rows()); }
};

std::string shape_text(const std::vector<hsize_t>& shape) {
  std::string text;
  for (const hsize_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "(" + text + ")";
}

void check_pixel_shape(const std::string& path, const SplitData& data, int image_size) {
  const auto side = static_cast<hsize_t>(image_size);
  const std::vector<hsize_t> expected{data.labels.rows(), side, side, 3};
  require(data.bytes.shape() == expected, "{}: {} has shape {} where labels and image_size say {}", path,
          data.bytes.name(), shape_text(data.bytes.shape()), shape_text(expected));
}

[[noreturn]] void fail_offsets(const std::string& path, const SplitData& data) {
  throw Error("{}: jpeg_offsets beside {} do not cut it into {} pictures; the file is damaged", path,
              data.bytes.name(), data.count());
}

/// Their number, the first and the last; those between are checked as they are read.
void check_jpeg_offsets(const StableFile& file, const SplitData& data) {
  const StoredRows<std::uint64_t>& offsets = *data.jpeg_offsets;
  if (offsets.rows() != data.labels.rows() + 1) fail_offsets(file.path(), data);
  std::uint64_t first = 0, last = 0;
  offsets.read(file, 0, {&first, 1});
  offsets.read(file, data.labels.rows(), {&last, 1});
  if (first != 0 || last != data.bytes.rows()) fail_offsets(file.path(), data);
}

void require_checksums(const std::string& path, const SplitData& data) {
  require(data.checksums.has_value(),
          "{} has no checksums, so it cannot be verified: it was made by an older whorl or another program; "
          "ingest the pictures again to have them",
          path);
}

SplitData open_split(const h5::File& file, const Info& info, Split split) {
  const bool pixels = info.storage == Storage::pixels;
  SplitData data{{file, object_name(split, pixels ? "images" : "jpeg_bytes")},
                 {},
                 {file, object_name(split, "labels")},
                 {}};
  if (const std::string name = object_name(split, "checksums"); file.contains(name)) {
    data.checksums.emplace(file, name);
    require(data.checksums->rows() == data.labels.rows(), "{}: {} has {} rows where labels has {}",
            file.path(), name, data.checksums->rows(), data.labels.rows());
  }
  if (pixels)
    check_pixel_shape(file.path(), data, info.image_size);
  else
    data.jpeg_offsets.emplace(file, object_name(split, "jpeg_offsets"));
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

/// Adds `count` values, as many at a time as read(first, values) fills.
template <typename T, typename Read>
void add_rows(Digest& sum, std::int64_t count, const Read& read) {
  std::vector<T> some;
  for (std::int64_t first = 0; first < count; first += std::ssize(some)) {
    some.resize(static_cast<std::size_t>(std::min<std::int64_t>(count - first, 1 << 18)));
    read(first, std::span(some));
    sum.add(std::as_bytes(std::span(some)));
  }
}

}  // namespace

struct Reader::Impl {
  h5::File file;
  StableFile bytes;
  Verify verify;
  Info info;
  SplitData train, test;
  // Of whole splits, where asked for.
  mutable std::array<std::once_flag, 2> labels_wanted{};
  mutable std::array<std::vector<std::int32_t>, 2> labels{};
  std::once_flag digest_wanted{};
  std::string digest{};

  Impl(const std::filesystem::path& path, Verify verify);
  const SplitData& split(Split which) const { return which == Split::train ? train : test; }
  void read_labels(Split split, std::int64_t first, std::span<std::int32_t> out) const;
  std::string make_digest() const;
  void read_stored_jpeg(const SplitData& data, std::uint64_t sample, std::vector<std::uint8_t>& out) const;
  void read_stored(const SplitData& data, std::uint64_t sample, std::vector<std::uint8_t>& out) const;
  bool has_checksum(const SplitData& data, std::uint64_t sample, std::span<const std::uint8_t> stored) const;
  void verify_picture(const SplitData& data, std::uint64_t sample,
                      std::span<const std::uint8_t> stored) const;
  void decode_stored_jpeg(const SplitData& data, std::uint64_t sample, std::uint8_t* out) const;
  template <typename ReadRun>
  void for_each_run(Split split, std::span<const std::int64_t> samples, ReadRun read_run) const;
};

Reader::Impl::Impl(const std::filesystem::path& path, Verify what)
    : file(h5::File::open_read(path)),
      bytes(path),
      verify(what),
      info(read_info(file)),
      train(open_split(file, info, Split::train)),
      test(open_split(file, info, Split::test)) {
  bytes.map_what_was_read();
  info.train_count = train.count();
  info.test_count = test.count();
  if (verify == Verify::nothing) return;
  for (const SplitData* split : {&train, &test}) require_checksums(bytes.path(), *split);
  const std::vector<std::string> damage = dataset::damage_beside_pictures(file, bytes);
  require(damage.empty(), "{} is damaged: {}; whorl-inspect --verify lists all damage", bytes.path(),
          damage.empty() ? "" : damage.front());
}

/// Calls read_run(i, n) for every longest run samples[i], samples[i] + 1, ... of n samples that all exist.
template <typename ReadRun>
void Reader::Impl::for_each_run(Split split, std::span<const std::int64_t> samples, ReadRun read_run) const {
  const std::int64_t count = this->split(split).count();
  for (std::size_t i = 0, n = 0; i < samples.size(); i += n) {
    for (n = 1; i + n < samples.size() && samples[i + n] == samples[i] + static_cast<std::int64_t>(n);) ++n;
    const std::int64_t last = samples[i] + static_cast<std::int64_t>(n) - 1;
    require(samples[i] >= 0 && last < count, "{} has no {} sample {}: it holds {}", bytes.path(),
            to_string(split), samples[i] < 0 ? samples[i] : std::max(samples[i], count), count);
    read_run(i, n);
  }
}

void Reader::Impl::read_labels(Split split, std::int64_t first, std::span<std::int32_t> out) const {
  this->split(split).labels.read(bytes, static_cast<std::uint64_t>(first), out);
  for (std::size_t i = 0; i < out.size(); ++i)
    require(out[i] >= 0 && static_cast<std::size_t>(out[i]) < info.class_names.size(),
            "{}: {} of sample {} is {}, but there are {} classes; the file is damaged", bytes.path(),
            object_name(split, "labels"), first + static_cast<std::int64_t>(i), out[i],
            info.class_names.size());
}

void Reader::Impl::read_stored_jpeg(const SplitData& data, std::uint64_t sample,
                                    std::vector<std::uint8_t>& out) const {
  std::array<std::uint64_t, 2> bounds{};
  data.jpeg_offsets->read(bytes, sample, bounds);
  if (bounds[0] > bounds[1] || bounds[1] > data.bytes.rows()) fail_offsets(bytes.path(), data);
  out.resize(bounds[1] - bounds[0]);
  data.bytes.read(bytes, bounds[0], out);
}

void Reader::Impl::read_stored(const SplitData& data, std::uint64_t sample,
                               std::vector<std::uint8_t>& out) const {
  if (data.jpeg_offsets) return read_stored_jpeg(data, sample, out);
  out.resize(info.image_bytes());
  data.bytes.read(bytes, sample, out);
}

bool Reader::Impl::has_checksum(const SplitData& data, std::uint64_t sample,
                                std::span<const std::uint8_t> stored) const {
  std::uint64_t checksum = 0;
  data.checksums->read(bytes, sample, {&checksum, 1});
  return checksum_of(std::as_bytes(stored)) == checksum;
}

void Reader::Impl::verify_picture(const SplitData& data, std::uint64_t sample,
                                  std::span<const std::uint8_t> stored) const {
  if (verify == Verify::nothing) return;
  require(has_checksum(data, sample, stored),
          "picture {} in {} of {} is damaged: its checksum is not the one it was stored with; "
          "whorl-inspect --verify lists all damage",
          sample, data.bytes.name(), bytes.path());
}

void Reader::Impl::decode_stored_jpeg(const SplitData& data, std::uint64_t sample, std::uint8_t* out) const {
  thread_local std::vector<std::uint8_t> stored;
  thread_local image::SquareDecoder decoder;
  read_stored_jpeg(data, sample, stored);
  verify_picture(data, sample, stored);
  try {
    decoder.decode(stored, info.image_size, out);
  } catch (const image::DecodeError& error) {
    throw Error("picture {} in {} of {} is damaged: {}", sample, data.bytes.name(), bytes.path(),
                error.what());
  }
}

Reader::Reader(const std::filesystem::path& path, Verify verify) {
  {
    const std::lock_guard lock(h5::library_mutex());
    impl_ = std::make_unique<Impl>(path, verify);
  }
  for (const SplitData* split : {&impl_->train, &impl_->test})
    if (split->jpeg_offsets) check_jpeg_offsets(impl_->bytes, *split);
}

Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&& other) noexcept {
  impl_.swap(other.impl_);
  return *this;
}

Reader::~Reader() {
  const std::lock_guard lock(h5::library_mutex());
  impl_.reset();
}

const Info& Reader::info() const {
  return impl_->info;
}
const std::string& Reader::path() const {
  return impl_->bytes.path();
}

std::span<const std::int32_t> Reader::labels(Split split) const {
  const std::size_t which = split == Split::train ? 0 : 1;
  std::vector<std::int32_t>& labels = impl_->labels[which];
  std::call_once(impl_->labels_wanted[which], [&] {
    labels.resize(static_cast<std::size_t>(impl_->split(split).count()));
    impl_->read_labels(split, 0, labels);
  });
  return labels;
}

void Reader::read_labels(Split split, std::span<const std::int64_t> samples, std::int32_t* out) const {
  impl_->for_each_run(split, samples, [&](std::size_t i, std::size_t count) {
    impl_->read_labels(split, samples[i], {out + i, count});
  });
}

void Reader::read_images(Split split, std::span<const std::int64_t> samples, std::uint8_t* out) const {
  const SplitData& data = impl_->split(split);
  const std::size_t image_bytes = impl_->info.image_bytes();
  impl_->for_each_run(split, samples, [&](std::size_t i, std::size_t count) {
    const auto first = static_cast<std::uint64_t>(samples[i]);
    std::uint8_t* const to = out + i * image_bytes;
    if (!data.jpeg_offsets) data.bytes.read(impl_->bytes, first, {to, count * image_bytes});
    for (std::size_t k = 0; k < count; ++k) {
      std::uint8_t* const picture = to + k * image_bytes;
      if (data.jpeg_offsets)
        impl_->decode_stored_jpeg(data, first + k, picture);
      else
        impl_->verify_picture(data, first + k, {picture, image_bytes});
    }
  });
}

void Reader::read_jpeg(Split split, std::int64_t sample, std::vector<std::uint8_t>& out) const {
  require(info().storage == Storage::jpeg, "{} stores pixels, not JPEG", path());
  impl_->for_each_run(split, {&sample, 1}, [&](std::size_t, std::size_t) {
    impl_->read_stored_jpeg(impl_->split(split), static_cast<std::uint64_t>(sample), out);
  });
}

bool Reader::is_intact(Split split, std::int64_t sample) const {
  const SplitData& data = impl_->split(split);
  require_checksums(path(), data);
  bool intact = false;
  impl_->for_each_run(split, {&sample, 1}, [&](std::size_t, std::size_t) {
    thread_local std::vector<std::uint8_t> stored;
    impl_->read_stored(data, static_cast<std::uint64_t>(sample), stored);
    intact = impl_->has_checksum(data, static_cast<std::uint64_t>(sample), stored);
  });
  return intact;
}

bool Reader::is_laid_out_anew() const {
  const std::lock_guard lock(h5::library_mutex());
  return dataset::is_laid_out_anew(impl_->file);
}

std::vector<std::string> Reader::damage_beside_pictures() const {
  for (const SplitData* split : {&impl_->train, &impl_->test}) require_checksums(path(), *split);
  const std::lock_guard lock(h5::library_mutex());
  return dataset::damage_beside_pictures(impl_->file, impl_->bytes);
}

void Reader::will_need(Split split, std::int64_t first, std::int64_t count) const {
  const SplitData& data = impl_->split(split);
  require(first >= 0 && count >= 0 && first + count <= data.count(),
          "{} has no {} samples {} to {}: it holds {}", path(), to_string(split), first, first + count - 1,
          data.count());
  const auto begin = static_cast<std::uint64_t>(first), end = static_cast<std::uint64_t>(first + count);
  if (!data.jpeg_offsets) return data.bytes.will_need(impl_->bytes, begin, end - begin);
  std::uint64_t from = 0, to = 0;
  data.jpeg_offsets->read(impl_->bytes, begin, {&from, 1});
  data.jpeg_offsets->read(impl_->bytes, end, {&to, 1});
  if (from < to) data.bytes.will_need(impl_->bytes, from, to - from);
}

void Reader::require_unchanged() const {
  impl_->bytes.require_unchanged();
}

std::vector<std::string> Reader::names(Split split, std::int64_t first, std::int64_t count) const {
  const std::lock_guard lock(h5::library_mutex());
  return h5::read_strings(impl_->file, object_name(split, "names"), static_cast<hsize_t>(first),
                          static_cast<hsize_t>(count));
}

std::vector<Reader::Reject> Reader::rejects() const {
  const std::lock_guard lock(h5::library_mutex());
  const std::vector<std::string> names = h5::read_strings(impl_->file, "rejected/name");
  const std::vector<std::string> reasons = h5::read_strings(impl_->file, "rejected/reason");
  require(names.size() == reasons.size(), "{}: rejected/name has {} rows, rejected/reason {}", path(),
          names.size(), reasons.size());
  std::vector<Reject> rejects;
  for (std::size_t i = 0; i < names.size(); ++i) rejects.push_back({names[i], reasons[i]});
  return rejects;
}

const std::string& Reader::digest() const {
  std::call_once(impl_->digest_wanted, [this] { impl_->digest = impl_->make_digest(); });
  return impl_->digest;
}

std::string Reader::Impl::make_digest() const {
  Digest sum;
  const auto add_text = [&](const std::string& text) {
    const std::uint64_t length = text.size();
    sum.add(std::as_bytes(std::span(&length, 1)));
    sum.add(text);
  };
  add_text(info.source_digest);
  add_text(to_string(info.storage));
  add_text(std::to_string(info.image_size));
  for (const std::string& name : info.class_names) add_text(name);
  sum.add(std::as_bytes(std::span(info.channel_mean)));
  sum.add(std::as_bytes(std::span(info.channel_std)));
  for (const Split which : {Split::train, Split::test}) {
    const std::int64_t count = info.count(which);
    add_text(std::to_string(count));
    add_rows<std::int32_t>(sum, count, [&](std::int64_t first, std::span<std::int32_t> some) {
      read_labels(which, first, some);
    });
    const auto& checksums = split(which).checksums;
    if (!checksums) continue;
    add_rows<std::uint64_t>(sum, count, [&](std::int64_t first, std::span<std::uint64_t> some) {
      checksums->read(bytes, static_cast<std::uint64_t>(first), some);
    });
  }
  return sum.hex();
}

}  // namespace whorl::dataset
