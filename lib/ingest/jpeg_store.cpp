// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <optional>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "image/jpeg.hpp"
#include "ingest/append_file.hpp"
#include "ingest/input_file.hpp"
#include "ingest/picture_store.hpp"
#include "ingest/row_writer.hpp"

namespace whorl::ingest {

namespace {

using dataset::Split;

// Encoded pictures lie in a file of their rank, one after the other, until their places in the result are
// known.
class JpegStore : public PictureStore {
 public:
  JpegStore(const mpi::Communicator& comm, const Manifest& manifest, OutputFiles& output, Journal& journal,
            int size, int quality)
      : comm_(comm),
        manifest_(manifest),
        output_(output),
        journal_(journal),
        quality_(quality),
        picture_(size, size) {
    mpi::together(comm, [&] { spool_.emplace(output.spool(comm.rank()).string()); });
  }

  std::span<std::uint8_t> place(std::int64_t) override { return picture_.pixels; }

  std::span<const std::uint8_t> keep(std::int64_t item) override {
    return restore(item, image::encode_jpeg(picture_, quality_));
  }

  std::span<const std::uint8_t> restore(std::int64_t item, std::span<const std::uint8_t> blob) override {
    const auto bytes = std::as_bytes(blob);
    const StoredPicture stored{item, spool_->append(bytes), std::ssize(bytes), checksum_of(bytes)};
    journal_.append({&stored, 1});
    stored_ = image::decode_jpeg(blob);
    require(stored_.height == picture_.height && stored_.width == picture_.width,
            "picture {} of the interrupted job has {} x {} pixels, not {} x {}", item, stored_.width,
            stored_.height, picture_.width, picture_.height);
    return stored_.pixels;
  }

  void flush() override {}

  h5::File& finish(const Contents& contents) override {
    std::vector<std::int64_t> sizes(manifest_.items.size(), 0);
    for (const StoredPicture& blob : journal_.pictures()) sizes[blob.item] = blob.size;
    comm_.sum_in_place(std::span(sizes));
    h5::File& file = output_.create_hdf5(output_.pictures());
    for (const Split split : {Split::train, Split::test}) write_split(file, split, contents.of(split), sizes);
    return file;
  }

 private:
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
    std::vector<StoredPicture> blobs = journal_.pictures();
    std::ranges::sort(blobs, {}, &StoredPicture::item);
    std::vector<std::uint8_t> buffer;
    for (const StoredPicture& blob : blobs) {
      if (manifest_.items[blob.item].split != split) continue;
      buffer.resize(static_cast<std::size_t>(blob.size));
      spooled.read(blob.offset, buffer);
      bytes.add(place[blob.item], buffer);
    }
    bytes.flush();
  }

  const mpi::Communicator& comm_;
  const Manifest& manifest_;
  OutputFiles& output_;
  Journal& journal_;
  int quality_;
  image::Image picture_, stored_;  // before encoding, and as a reader gets it
  std::optional<AppendFile> spool_;
};

}  // namespace

std::unique_ptr<PictureStore> make_jpeg_store(const mpi::Communicator& comm, const Manifest& manifest,
                                              OutputFiles& output, Journal& journal, int size, int quality) {
  return std::make_unique<JpegStore>(comm, manifest, output, journal, size, quality);
}

}  // namespace whorl::ingest
