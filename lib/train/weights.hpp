// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "nn/network.hpp"

// A weights file is HDF5 with a seal behind it (h5/seal.hpp): one float32 dataset per tensor, by its name and
// in its shape, running statistics included; attributes of "/": format "whorl-weights", network, image_size,
// class_names, channel_mean, channel_std, weights_digest, dataset_digest.
namespace whorl::train {

/// A trained network as it is stored.
struct Weights {
  nn::Network network;
  std::vector<float> parameters;  ///< arena, see nn::ParameterLayout
  std::vector<std::string> class_names;
  std::string dataset_digest;  ///< of the dataset it was trained on
};

/// XXH3 of an arena, for comparing ranks, files and runs.
std::string weights_digest(std::span<const float> parameters);

/// Writes `path` atomically. One process calls it.
void save_weights(const std::filesystem::path& path, const Weights& weights);
/// Builds the network that the file names and reads its tensors. Throws Error naming the attribute, or the
/// tensor and both shapes, that do not fit, and where a bit of the file has changed. No bytes that
/// save_weights() has not written reach HDF5.
Weights load_weights(const std::filesystem::path& path);

}  // namespace whorl::train
