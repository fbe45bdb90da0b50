// SPDX-License-Identifier: BSD-3-Clause
// weights.h5 of a run.
#include "train/weights.hpp"

#include "hdf5.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace whorl;
  fuzz::take_sealed({data, size},
                    {"format", "network", "image_size", "class_names", "channel_mean", "channel_std",
                     "weights_digest", "dataset_digest"},
                    {"head.weight"}, [](const std::string& path) { train::load_weights(path); });
  return 0;
}
