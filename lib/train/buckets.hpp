// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/block_range.hpp"
#include "collective/all_reduce.hpp"
#include "nn/parameters.hpp"

namespace whorl::train {

/// Ends, in elements, of contiguous slices that cover the arena: cut behind the tensor that fills a slice to
/// `bucket_bytes`, an element being of this type.
std::vector<std::size_t> bucket_ends(const nn::ParameterLayout& layout, collective::Element element,
                                     std::size_t bucket_bytes);

/// Sums a gradient arena over the ranks bucket by bucket, while the backward pass still works on the rest:
///
///   for bucket in arena order (last layer first):
///     once backward has passed its end: start its all-reduce
///   wait for all
///
/// Every rank starts the same buckets in the same order, whatever the moment.
class GradientBuckets {
 public:
  /// `ends`: of the buckets, in elements; the last is that of the arena. `arena` and `all_reduce` must
  /// outlive this object.
  GradientBuckets(collective::AllReduce& all_reduce, collective::Values arena, std::vector<std::size_t> ends);

  /// This rank's gradients [0, end) are final: starts the buckets within, and moves on those under way.
  void ready(std::size_t end);
  /// Starts what is left, and returns when the whole arena holds the sum. Calls `summed`, which may be empty,
  /// for each bucket while later ones are still on their way.
  void finish(const std::function<void(Range elements)>& summed = {});

  collective::Values arena() const { return arena_; }
  std::size_t count() const { return ends_.size(); }
  /// What one step costs this rank; nothing where the all-reduce does not know.
  std::optional<collective::Cost> cost() const;
  /// Seconds that this thread has spent on communication instead of computing, since the last call.
  double take_exposed() { return std::exchange(exposed_, 0); }

 private:
  void start_up_to(std::size_t end);
  Range bucket(std::size_t index) const;
  collective::Values values_of(std::size_t index) const;

  collective::AllReduce& all_reduce_;
  collective::Values arena_;
  std::vector<std::size_t> ends_;
  std::vector<collective::Ticket> tickets_;  // of this step, by bucket
  double exposed_ = 0;
};

}  // namespace whorl::train
