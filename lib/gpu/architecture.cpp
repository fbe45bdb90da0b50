// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "gpu/device.hpp"

namespace whorl::gpu {

std::string unsupported_architecture(const std::string& gpu, int architecture, int lowest) {
  if (architecture >= lowest) return {};
  return fmt::format(
      "its {} has compute capability {}.{}, but this build is for {}.{} and later: use --device cpu, or "
      "build with -DCMAKE_CUDA_ARCHITECTURES={}",
      gpu, architecture / 10, architecture % 10, lowest / 10, lowest % 10, architecture);
}

}  // namespace whorl::gpu
