// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/bodies/digest.hpp"

#include "nn/cuda/kernels/launch.hpp"

namespace whorl::nn::cuda {

void digest_arena(std::int64_t floats, const float* arena, DigestPart* partials, Stream stream) {
  const auto* bits = reinterpret_cast<const std::uint32_t*>(arena);
  launch("digest_arena", DigestKernel{floats, {bits}, {partials}}, digest_blocks, stream);
}

}  // namespace whorl::nn::cuda
