// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/schema.hpp"

namespace whorl::dataset {

const char* to_string(Split split) {
  return split == Split::train ? "train" : "test";
}
const char* to_string(Storage storage) {
  return storage == Storage::pixels ? "pixels" : "jpeg";
}

std::string object_name(Split split, const char* leaf) {
  return std::string(to_string(split)) + "/" + leaf;
}

}  // namespace whorl::dataset
