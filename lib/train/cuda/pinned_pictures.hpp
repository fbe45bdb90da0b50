// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

#include "dataset/reader.hpp"
#include "gpu/memory.hpp"
#include "gpu/stream.hpp"

namespace whorl::train {

/// Pictures of a dataset and their labels in page-locked memory, from where they are copied to a GPU while it
/// computes.
class PinnedPictures {
 public:
  /// Reads pictures in this order; takes memory where there is not enough yet. Throws Error for a label that
  /// is none of `classes`.
  void read(const dataset::Reader& reader, dataset::Split split, std::span<const std::int64_t> samples,
            int classes);
  /// Queues the copy of all that was read.
  void copy(std::uint8_t* pixels, std::int32_t* labels, const gpu::Stream& stream) const;

 private:
  gpu::PinnedMemory pixels_, labels_;
  std::size_t pixel_bytes_ = 0, label_bytes_ = 0;  ///< that were read
};

}  // namespace whorl::train
