// SPDX-License-Identifier: BSD-3-Clause
// weights.h5 of a run: whatever its bytes, only what has a whole seal reaches HDF5.
#include "train/weights.hpp"

#include "input.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace whorl;
  const fuzz::TemporaryFile file(std::span(data, size));
  fuzz::refuse_or_take([&] { train::load_weights(file.path()); });
  return 0;
}
