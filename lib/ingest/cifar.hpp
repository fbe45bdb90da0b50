// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dataset/schema.hpp"
#include "ingest/listing.hpp"

namespace whorl::ingest {

inline constexpr int cifar_side = 32;
inline constexpr std::int64_t cifar_picture_bytes = 3 * cifar_side * cifar_side;

/// One batch: its pictures lie one after the other, `stride` bytes apart, from `offset` in `file`.
struct CifarBatch {
  std::string name;  ///< path within the source
  dataset::Split split = dataset::Split::train;
  std::string file;
  std::int64_t offset = 0;
  std::int64_t stride = 0;
  std::vector<std::int32_t> labels;  ///< one a picture
  std::uint64_t checksum = 0;        ///< of all bytes of the batch
};

struct CifarBatches {
  std::vector<std::string> class_names;
  std::vector<CifarBatch> batches;  ///< by name
};

/// The CIFAR-10 batches in a container, binary (data_batch_N.bin, test_batch.bin: records of a label byte and
/// 3072 bytes) or Python (data_batch_N, test_batch: pickles), or nothing if it holds none. Class names come
/// from batches.meta.txt or batches.meta, else they are the digits. Pixels that a pickle does not hold
/// verbatim are written to a new file `scratch`. Throws for damaged batches. (Krizhevsky, "Learning Multiple
/// Layers of Features from Tiny Images", 2009.)
std::optional<CifarBatches> find_cifar(const Listing& listing, const std::filesystem::path& scratch);

}  // namespace whorl::ingest
