// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

/// The grid of an emulated GPU: blocks run one after the other, and so do the threads of a block between two
/// barriers.
namespace whorl::nn::cuda::emulator {

/// A GPU runs blocks and threads in any order; a kernel that is right gives the same in each of these.
enum class Order { forward, reverse, shuffled };

struct Grid {
  Order order = Order::forward;
  std::uint64_t seed = 0;     ///< of Order::shuffled
  int launch = 0;             ///< its number, from 1
  int block = 0, thread = 0;  ///< that run now, for messages
};
/// The only one.
Grid& grid();

/// 0 ... count - 1 in the grid's order; other calls in a launch shuffle differently.
std::vector<int> in_order(int count);

}  // namespace whorl::nn::cuda::emulator
