// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace whorl::nn::cuda::emulator {

/// NCCL_ALGO as it was when the last communicator was made.
extern std::string nccl_algorithm;

}  // namespace whorl::nn::cuda::emulator
