// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

#include "dataset/reader.hpp"
#include "nn/network.hpp"

namespace whorl::train {

/// Sets the filters of every convolution with Init::whitening that reads the network's input: with `samples`
/// normalised training pictures (evenly spaced over the split), the eigenvectors v_i of the uncentred
/// covariance of their kernel x kernel x 3 patches, scaled by 1/sqrt(l_i + 5e-4), and their negatives (Page
/// 2019; airbench94). Needs filters = 2 * 3 * kernel^2. Deterministic; every rank computes the same from the
/// same file.
void initialise_whitening(const nn::Network& network, const dataset::Reader& reader, std::int64_t samples,
                          std::span<float> parameters);

}  // namespace whorl::train
