// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/window_order.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace whorl::dataset {

namespace {

std::int64_t divide_up(std::int64_t count, std::int64_t by) {
  return (count + by - 1) / by;
}

WindowOrder::Shape checked(WindowOrder::Shape shape) {
  require(shape.block >= 1 && shape.blocks_a_window >= 1, "a window of {} blocks of {} samples holds nothing",
          shape.blocks_a_window, shape.block);
  return shape;
}

}  // namespace

WindowOrder::WindowOrder(std::uint64_t seed, std::uint32_t epoch, std::int64_t count, Shape shape)
    : seed_(seed),
      epoch_(epoch),
      count_(count),
      shape_(checked(shape)),
      order_of_blocks_(seed, epoch, count / shape.block) {}

std::int64_t WindowOrder::windows() const {
  return divide_up(count_, shape_.window());
}

Range WindowOrder::block_at(std::int64_t turn) const {
  const std::int64_t whole_blocks = count_ / shape_.block;
  const std::int64_t block = turn < whole_blocks ? order_of_blocks_(turn) : turn;
  return {block * shape_.block, std::min((block + 1) * shape_.block, count_)};
}

std::vector<Range> WindowOrder::blocks(std::int64_t window) const {
  const std::int64_t first = window * shape_.blocks_a_window;
  const std::int64_t end = std::min(first + shape_.blocks_a_window, divide_up(count_, shape_.block));
  std::vector<Range> blocks;
  for (std::int64_t turn = first; turn < end; ++turn) blocks.push_back(block_at(turn));
  return blocks;
}

std::int64_t WindowOrder::operator()(std::int64_t position) const {
  require(position >= 0 && position < count_, "position {} is not in an epoch of {} samples", position,
          count_);
  const std::int64_t window = position / shape_.window(), start = window * shape_.window();
  // Part 0 is the order of the blocks.
  const EpochOrder within(seed_, epoch_, std::min(shape_.window(), count_ - start),
                          static_cast<std::uint64_t>(window) + 1);
  const std::int64_t shuffled = start + within(position - start);
  return block_at(shuffled / shape_.block).begin + shuffled % shape_.block;
}

}  // namespace whorl::dataset
