// SPDX-License-Identifier: BSD-3-Clause
// A checkpoint: whatever its bytes, only what has a whole seal reaches HDF5.
#include "checkpoint/checkpoint.hpp"

#include "input.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace whorl;
  const fuzz::TemporaryFile file(std::span(data, size));
  fuzz::refuse_or_take([&] { checkpoint::load(file.path()); });
  return 0;
}
