// SPDX-License-Identifier: BSD-3-Clause
#include "train/step_engine.hpp"

#include <algorithm>
#include <cmath>

#ifdef WHORL_HAS_CUDNN
#include "train/cuda/gpu_engine.hpp"
#endif

namespace whorl::train {

std::int64_t LossSums::in_units(double loss) {
  constexpr double largest = 1 << 30;
  return std::isfinite(loss) ? std::llround(std::min(loss, largest) / unit) : 0;
}

std::unique_ptr<StepEngine> make_engine(const Training& training, const std::vector<float>& parameters) {
#ifdef WHORL_HAS_CUDNN
  if (stays_on_gpu(training)) return make_gpu_engine(training, parameters);
#endif
  return make_host_engine(training, parameters);
}

}  // namespace whorl::train
