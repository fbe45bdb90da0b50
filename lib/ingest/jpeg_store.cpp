// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "image/jpeg.hpp"
#include "ingest/input_file.hpp"
#include "ingest/picture_store.hpp"
#include "ingest/row_writer.hpp"

namespace whorl::ingest {

namespace {

using dataset::Split;

// Encoded pictures of one rank, one after the other, until their places in the result are known.
class Spool {
 public:
  explicit Spool(const std::string& path)
      : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    require(bool(file_), "cannot create {}: {}", path_, system_error_text(errno));
  }
  // Returns the offset.
  std::int64_t append(std::span<const std::uint8_t> bytes) {
    const std::int64_t offset = end_;
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      require(written >= 0 || errno == EINTR, "cannot write {}: {}", path_, system_error_text(errno));
      if (written <= 0) continue;
      end_ += written;
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return offset;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Descriptor file_;
  std::int64_t end_ = 0;
};

class JpegStore : public PictureStore {
 public:
  JpegStore(const mpi::Communicator& comm, const Manifest& manifest, OutputFiles& output, int size,
            int quality)
      : comm_(comm), manifest_(manifest), output_(output), quality_(quality), picture_(size, size) {
    mpi::together(comm, [&] { spool_.emplace(output.spool(comm.rank()).string()); });
  }

  std::span<std::uint8_t> place(std::int64_t) override { return picture_.pixels; }

  std::span<const std::uint8_t> keep(std::int64_t item) override {
    const std::vector<std::uint8_t> blob = image::encode_jpeg(picture_, quality_);
    mine_.push_back({item, spool_->append(blob), std::ssize(blob)});
    stored_ = image::decode_jpeg(blob);
    return stored_.pixels;
  }

  h5::File& finish(const Contents& contents) override {
    std::vector<std::int64_t> sizes(manifest_.items.size(), 0);
    for (const Blob& blob : mine_) sizes[blob.item] = blob.size;
    comm_.sum_in_place(std::span(sizes));
    std::ranges::sort(mine_, {}, &Blob::item);
    h5::File& file = output_.create_hdf5(output_.partial());
    for (const Split split : {Split::train, Split::test}) write_split(file, split, contents.of(split), sizes);
    return file;
  }

 private:
  struct Blob {
    std::int64_t item, spool_offset, size;
  };

  void write_split(const h5::File& file, Split split, const std::vector<std::int64_t>& items,
                   const std::vector<std::int64_t>& sizes) const {
    std::vector<std::uint64_t> offsets{0};
    std::vector<std::uint64_t> place(manifest_.items.size());
    for (const std::int64_t item : items) {
      place[item] = offsets.back();
      offsets.push_back(offsets.back() + static_cast<std::uint64_t>(sizes[item]));
    }
    const auto table = h5::Dataset::create<std::uint64_t>(file, dataset::object_name(split, "jpeg_offsets"),
                                                          {offsets.size()});
    RowWriter bytes(file, h5::Dataset::create<std::uint8_t>(file, dataset::object_name(split, "jpeg_bytes"),
                                                            {offsets.back()}));
    mpi::together(comm_, [&] {
      if (comm_.is_root()) table.write_rows(0, std::span<const std::uint64_t>(offsets));
      write_blobs(bytes, split, place);
    });
  }

  void write_blobs(RowWriter& bytes, Split split, const std::vector<std::uint64_t>& place) const {
    const InputFile spooled(spool_->path());
    std::vector<std::uint8_t> buffer;
    for (const Blob& blob : mine_) {
      if (manifest_.items[blob.item].split != split) continue;
      buffer.resize(static_cast<std::size_t>(blob.size));
      spooled.read(blob.spool_offset, buffer);
      bytes.add(place[blob.item], buffer);
    }
    bytes.flush();
  }

  const mpi::Communicator& comm_;
  const Manifest& manifest_;
  OutputFiles& output_;
  int quality_;
  image::Image picture_, stored_;  // before encoding, and as a reader gets it
  std::optional<Spool> spool_;
  std::vector<Blob> mine_;
};

}  // namespace

std::unique_ptr<PictureStore> make_jpeg_store(const mpi::Communicator& comm, const Manifest& manifest,
                                              OutputFiles& output, int size, int quality) {
  return std::make_unique<JpegStore>(comm, manifest, output, size, quality);
}

}  // namespace whorl::ingest
