// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

// The one place that knows the names in a dataset file. The file is meant to be read by anybody's HDF5 tools:
//
//   /                     attributes: format "whorl-dataset", schema_version, class_names (strings),
//                         channel_mean (3), channel_std (3), source_digest, storage "pixels" | "jpeg",
//                         image_size (height = width, pixels), whorl_version, recipe (see ingest::recipe_of)
//   /train/images         uint8 (N, H, W, 3), contiguous, aligned to 4096 bytes [storage = pixels]
//   /train/jpeg_bytes     uint8 (total), /train/jpeg_offsets uint64 (N + 1) [storage = jpeg]
//   /train/labels         int32 (N): index into class_names
//   /train/names          fixed-length UTF-8 (N): path of the picture in its source
//   /train/checksums      uint64 (N): XXH3-64 of the stored bytes of each picture, pixels or JPEG
//   /test/...             the same
//   /rejected/name, /rejected/reason    fixed-length UTF-8 (R): pictures that could not be decoded
//   /rest_checksums       uint64 (rest_parts + 1): see integrity.hpp
//
// channel_mean and channel_std are over the train split, of pixel values divided by 255, population (not
// sample) deviation. Files of this version that were made before there were checksums lack them and recipe;
// they can be read, but not verified.
namespace whorl::dataset {

inline constexpr std::int64_t schema_version = 1;
inline constexpr const char* format_name = "whorl-dataset";
inline constexpr int rest_parts = 256;

enum class Split { train, test };
enum class Storage { pixels, jpeg };
const char* to_string(Split split);
const char* to_string(Storage storage);

/// What a dataset file says of itself.
struct Info {
  int image_size = 0;  ///< height and width in pixels
  Storage storage = Storage::pixels;
  std::vector<std::string> class_names;
  std::array<double, 3> channel_mean{};  ///< of values in [0, 1]
  std::array<double, 3> channel_std{};
  std::string source_digest;
  std::int64_t train_count = 0;
  std::int64_t test_count = 0;
  std::int64_t count(Split split) const { return split == Split::train ? train_count : test_count; }
  std::size_t image_bytes() const { return std::size_t(image_size) * image_size * 3; }
};

/// "train/images" and the like.
std::string object_name(Split split, const char* leaf);

}  // namespace whorl::dataset
