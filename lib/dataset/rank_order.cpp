// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/rank_order.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace whorl::dataset {

const char* to_string(Order order) {
  switch (order) {
    case Order::sequential:
      return "sequential";
    case Order::shuffled:
      return "shuffled";
    case Order::window:
      return "window";
  }
  return "?";
}

RankOrder::RankOrder(const Options& options, std::int64_t count, int ranks, int rank, WillNeed will_need)
    : options_(options),
      count_(count),
      positions_(block_range(count, ranks, rank)),
      will_need_(std::move(will_need)),
      position_(positions_.begin) {
  begin_epoch();
}

void RankOrder::begin_epoch() {
  if (options_.order == Order::shuffled) order_.emplace<EpochOrder>(options_.seed, epoch_, count_);
  if (options_.order == Order::window) {
    order_.emplace<WindowOrder>(options_.seed, epoch_, count_, options_.window);
    announced_ = positions_.begin / options_.window.window();
  }
}

/// Announces the blocks of this rank's windows up to the one after `position_`.
void RankOrder::look_ahead() {
  const auto* order = std::get_if<WindowOrder>(&order_);
  if (order == nullptr || !will_need_) return;
  const std::int64_t window = options_.window.window();
  const std::int64_t end = std::min(position_ / window + 2, (positions_.end + window - 1) / window);
  for (; announced_ < end; ++announced_)
    for (const Range& block : order->blocks(announced_)) will_need_(block);
}

std::int64_t RankOrder::next() {
  require(per_epoch() > 0, "this rank has none of the {} samples", count_);
  if (position_ == positions_.end) {
    ++epoch_;
    position_ = positions_.begin;
    begin_epoch();
  }
  look_ahead();
  const std::int64_t position = position_++;
  if (const auto* order = std::get_if<EpochOrder>(&order_)) return (*order)(position);
  if (const auto* order = std::get_if<WindowOrder>(&order_)) return (*order)(position);
  return position;
}

}  // namespace whorl::dataset
