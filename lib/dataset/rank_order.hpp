// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include "base/block_range.hpp"
#include "dataset/epoch_order.hpp"
#include "dataset/window_order.hpp"

namespace whorl::dataset {

enum class Order { sequential, shuffled, window };
const char* to_string(Order order);

/// The samples of one rank, epoch after epoch. An epoch has `count` positions, which are cut into one
/// contiguous range a rank (block_range), so that all ranks together read every sample exactly once an epoch,
/// whatever their number; with more ranks than samples, some have none.
class RankOrder {
 public:
  struct Options {
    Order order = Order::shuffled;
    std::uint64_t seed = 0;
    WindowOrder::Shape window{};  ///< of Order::window
  };
  /// Told, a window ahead, that this range of samples will be read.
  using WillNeed = std::function<void(Range)>;
  RankOrder(const Options& options, std::int64_t count, int ranks, int rank, WillNeed will_need = {});

  /// Samples that this rank reads in an epoch; may be 0.
  std::int64_t per_epoch() const { return positions_.size(); }
  /// The next sample of this rank; per_epoch() is not 0.
  std::int64_t next();

 private:
  void begin_epoch();
  void look_ahead();
  Options options_;
  std::int64_t count_;
  Range positions_;
  WillNeed will_need_;
  std::int64_t position_;
  std::uint32_t epoch_ = 0;
  std::variant<std::monostate, EpochOrder, WindowOrder> order_;
  std::int64_t announced_ = 0;  // windows before this one
};

}  // namespace whorl::dataset
