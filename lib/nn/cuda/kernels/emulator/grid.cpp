// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/emulator/grid.hpp"

#include <algorithm>
#include <numeric>

#include "base/keyed_random.hpp"

namespace whorl::nn::cuda::emulator {

Grid& grid() {
  static Grid only;
  return only;
}

std::vector<int> in_order(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  if (grid().order == Order::reverse) std::reverse(numbers.begin(), numbers.end());
  if (grid().order == Order::shuffled) {
    KeyedRandom random(grid().seed++, RandomPurpose::test, 0, 0);
    for (std::size_t i = numbers.size(); i > 1; --i)
      std::swap(numbers[i - 1], numbers[random.below(static_cast<std::uint32_t>(i))]);
  }
  return numbers;
}

}  // namespace whorl::nn::cuda::emulator
