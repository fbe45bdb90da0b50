// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "base/block_range.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "ingest/picture_store.hpp"
#include "ingest/row_writer.hpp"

namespace whorl::ingest {

namespace {

using dataset::Split;

h5::Dataset create_images(const h5::File& file, Split split, std::int64_t count, int size) {
  const auto side = static_cast<hsize_t>(size);
  return h5::Dataset::create<std::uint8_t>(file, dataset::object_name(split, "images"),
                                           {static_cast<hsize_t>(count), side, side, 3});
}

// Every picture has its row from the start, as if none were going to be rejected, so ranks write without
// asking each other. Should some be rejected after all, the others are copied to a second file of the right
// size.
class PixelStore : public PictureStore {
 public:
  PixelStore(const mpi::Communicator& comm, const Manifest& manifest, OutputFiles& output, Journal& journal,
             int size, std::size_t block)
      : comm_(comm),
        manifest_(manifest),
        output_(output),
        journal_(journal),
        size_(size),
        file_(output.create_hdf5(output.pictures())),
        train_(*this, Split::train, block),
        test_(*this, Split::test, block) {}

  std::span<std::uint8_t> place(std::int64_t item) override {
    placed_ = rows_of(item).writer.place_row(static_cast<hsize_t>(manifest_.row(item)));
    return placed_;
  }

  std::span<const std::uint8_t> keep(std::int64_t item) override {
    Rows& rows = rows_of(item);
    rows.writer.keep_row();
    rows.unwritten.push_back({item, rows.offset + manifest_.row(item) * std::ssize(placed_),
                              std::ssize(placed_), checksum_of(std::as_bytes(placed_))});
    return placed_;
  }

  std::span<const std::uint8_t> restore(std::int64_t item, std::span<const std::uint8_t> stored) override {
    const std::span<std::uint8_t> row = place(item);
    require(stored.size() == row.size(), "picture {} of the interrupted job has {} bytes, not {}", item,
            stored.size(), row.size());
    std::ranges::copy(stored, row.begin());
    return keep(item);
  }

  void flush() override {
    train_.writer.flush();
    test_.writer.flush();
  }

  h5::File& finish(const Contents& contents) override {
    mpi::together(comm_, [&] { flush(); });
    const std::size_t kept = contents.of(Split::train).size() + contents.of(Split::test).size();
    return kept == manifest_.items.size() ? file_ : copy_kept(contents);
  }

 private:
  // The pictures of a split.
  struct Rows {
    Rows(PixelStore& store, Split split, std::size_t block)
        : writer(store.file_, create_images(store.file_, split, store.manifest_.count(split), store.size_),
                 block,
                 [this, &journal = store.journal_] {
                   journal.append(unwritten);
                   unwritten.clear();
                 }),
          offset(writer.dataset().file_offset()) {}
    RowWriter writer;
    std::int64_t offset;                   // of the first row in the file
    std::vector<StoredPicture> unwritten;  // kept, but still in the writer's memory
  };
  Rows& rows_of(std::int64_t item) { return manifest_.items[item].split == Split::train ? train_ : test_; }

  h5::File& copy_kept(const Contents& contents) {
    output_.require_space(
        static_cast<std::int64_t>(contents.of(Split::train).size() + contents.of(Split::test).size()) * 3 *
        size_ * size_);
    file_.share_writes();  // a rank copies rows that others have written
    h5::File& compacted = output_.create_hdf5(output_.compacted());
    for (const Split split : {Split::train, Split::test}) {
      const std::vector<std::int64_t>& items = contents.of(split);
      RowWriter target(compacted, create_images(compacted, split, std::ssize(items), size_));
      mpi::together(comm_, [&] {
        copy_rows(items, (split == Split::train ? train_ : test_).writer.dataset(), target);
      });
    }
    return compacted;
  }

  void copy_rows(const std::vector<std::int64_t>& items, const h5::Dataset& source, RowWriter& target) const {
    const Range mine = block_range(std::ssize(items), comm_.size(), comm_.rank());
    for (std::int64_t i = mine.begin; i < mine.end; ++i) {
      source.read_rows(static_cast<hsize_t>(manifest_.row(items[i])),
                       target.place_row(static_cast<hsize_t>(i)));
      target.keep_row();
    }
    target.flush();
  }

  const mpi::Communicator& comm_;
  const Manifest& manifest_;
  OutputFiles& output_;
  Journal& journal_;
  int size_;
  h5::File& file_;
  Rows train_, test_;
  std::span<std::uint8_t> placed_;
};

}  // namespace

std::unique_ptr<PictureStore> make_pixel_store(const mpi::Communicator& comm, const Manifest& manifest,
                                               OutputFiles& output, Journal& journal, int size,
                                               std::size_t block) {
  return std::make_unique<PixelStore>(comm, manifest, output, journal, size, block);
}

}  // namespace whorl::ingest
