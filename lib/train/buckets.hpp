// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/block_range.hpp"
#include "collective/all_reduce.hpp"
#include "nn/parameters.hpp"

namespace whorl::train {

/// Ends, in floats, of contiguous slices that cover the arena: cut behind the tensor that fills a slice to
/// `bucket_bytes`.
std::vector<std::size_t> bucket_ends(const nn::ParameterLayout& layout, std::size_t bucket_bytes);

/// Sums a gradient arena over the ranks bucket by bucket, while the backward pass still works on the rest:
///
///   for bucket in arena order (last layer first):
///     once backward has passed its end: start its all-reduce
///   wait for all
///
/// Every rank starts the same buckets in the same order, whatever the moment.
class GradientBuckets {
 public:
  /// `arena` and `all_reduce` must outlive this object.
  GradientBuckets(collective::AllReduce& all_reduce, std::span<float> arena,
                  const nn::ParameterLayout& layout, std::size_t bucket_bytes);

  /// This rank's gradients [0, end) are final: starts the buckets within, and moves on those under way.
  void ready(std::size_t end);
  /// Starts what is left, and returns when the whole arena holds the sum.
  void finish();

  std::size_t count() const { return ends_.size(); }
  /// What one step costs this rank; nothing where the all-reduce does not know.
  std::optional<collective::Cost> cost() const;
  struct Seconds {
    double exposed = 0;      ///< this thread spent on communication instead of computing
    double in_backward = 0;  ///< the part of it within ready(), which the backward pass called
    double hidden = 0;       ///< buckets were under way beside computation
  };
  /// Since the last call.
  Seconds take_seconds();

 private:
  using Clock = std::chrono::steady_clock;

  void start_up_to(std::size_t end);
  Range bucket(std::size_t index) const;

  collective::AllReduce& all_reduce_;
  std::span<float> arena_;
  std::vector<std::size_t> ends_;
  std::vector<collective::Ticket> tickets_;  // of this step, by bucket
  Clock::time_point first_start_;
  double in_ready_ = 0;  // of this step
  Seconds seconds_;
};

}  // namespace whorl::train
