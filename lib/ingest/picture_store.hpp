// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "h5/file.hpp"
#include "ingest/journal.hpp"
#include "ingest/manifest.hpp"
#include "ingest/output_files.hpp"
#include "mpi/communicator.hpp"

namespace whorl::ingest {

/// What the dataset will hold: items in dataset order, without the rejected ones.
struct Contents {
  std::array<std::vector<std::int64_t>, 2> items;  // by split
  const std::vector<std::int64_t>& of(dataset::Split split) const {
    return items[split == dataset::Split::train ? 0 : 1];
  }
};

/// Takes pictures in any order while they are decoded, and in the end makes the file with all of them in
/// dataset order. The bytes of that file do not depend on the number of ranks. What is safely stored goes
/// into the rank's journal.
class PictureStore {
 public:
  virtual ~PictureStore() = default;
  /// Where the pixels of an item are to be written, shape (size, size, 3); valid until the next call.
  virtual std::span<std::uint8_t> place(std::int64_t item) = 0;
  /// Takes the pixels that were written to place(item); returns them as a reader of the file will see them. A
  /// picture that turns out to be unusable is just not kept.
  virtual std::span<const std::uint8_t> keep(std::int64_t item) = 0;
  /// Takes a picture as the same store of an interrupted job has stored it, see Journal; returns the same as
  /// keep().
  virtual std::span<const std::uint8_t> restore(std::int64_t item, std::span<const std::uint8_t> stored) = 0;
  /// Stores and journals everything that was taken so far.
  virtual void flush() = 0;
  /// Collective, once, after the last picture of any rank. `output` owns the file.
  virtual h5::File& finish(const Contents& contents) = 0;
};

/// train/images and test/images: uint8 (N, size, size, 3), their rows journaled in output.pictures().
/// `block`: see RowWriter. Collective.
std::unique_ptr<PictureStore> make_pixel_store(const mpi::Communicator& comm, const Manifest& manifest,
                                               OutputFiles& output, Journal& journal, int size,
                                               std::size_t block);
/// train/jpeg_bytes, train/jpeg_offsets and the same for test, journaled in output.spool(). Collective.
std::unique_ptr<PictureStore> make_jpeg_store(const mpi::Communicator& comm, const Manifest& manifest,
                                              OutputFiles& output, Journal& journal, int size, int quality);

}  // namespace whorl::ingest
