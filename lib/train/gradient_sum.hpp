// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "collective/all_reduce.hpp"
#include "mpi/communicator.hpp"
#include "nn/parameters.hpp"
#include "train/buckets.hpp"

namespace whorl::train {

/// What is to happen after a step. Ranks agree on it by slots behind the gradients: it costs no message.
struct Requests {
  bool stop = false;
  bool checkpoint = false;
};

/// Sums the gradients of a step, over the shards of all ranks:
///
///   begin_step()
///   for shard of this rank:
///     add its gradient to arena(), with ready(end, is_last) as often as a prefix is final; in the end with
///     all
///   finish_step(): arena() holds the sum
///
/// While the last shard's backward pass goes on, buckets are already being summed over the ranks.
class GradientSum {
 public:
  virtual ~GradientSum() = default;
  virtual std::span<float> arena() = 0;
  /// `own`: what this rank asks for.
  virtual void begin_step(Requests own) = 0;
  /// The current shard's gradients [0, end) are final; `is_last`: so are this rank's.
  virtual void ready(std::size_t end, bool is_last) = 0;
  virtual void end_shard(bool is_last) = 0;
  /// The same on every rank.
  struct Outcome {
    bool is_finite = true;  ///< the sum is a number
    Requests agreed;        ///< what any rank asked for
  };
  /// Collective.
  virtual Outcome finish_step() = 0;
  virtual GradientBuckets& buckets() = 0;

  /// What later sums depend on; see ExactGradientSum.
  virtual std::vector<std::int32_t> state() const { return {}; }
  /// Throws for the state of another network or another way to sum.
  virtual void restore(const std::vector<std::int32_t>& state);
};

/// How many elements the buckets of a GradientSum have, for those who want to time them first.
std::vector<std::size_t> bucket_counts(const nn::ParameterLayout& layout, collective::Element element,
                                       std::size_t bucket_bytes);

/// Sums float32: shards of a rank in their order, ranks in the order of the all-reduce. The last bits depend
/// on the number of ranks and on the algorithm.
class FloatGradientSum : public GradientSum {
 public:
  /// `all_reduce` must outlive this object. Collective.
  FloatGradientSum(collective::AllReduce& all_reduce, const nn::ParameterLayout& layout,
                   std::size_t bucket_bytes);

  std::span<float> arena() override { return sums_.first(size_); }
  void begin_step(Requests own) override;
  void ready(std::size_t end, bool is_last) override;
  void end_shard(bool is_last) override;
  Outcome finish_step() override;
  GradientBuckets& buckets() override { return buckets_; }

 private:
  std::size_t size_;       // of the arena
  std::span<float> sums_;  // the arena, and slots
  GradientBuckets buckets_;
};

/// Sums 64-bit integers, exactly: the same bits for any number of ranks and any algorithm. Each shard's
/// gradient is rounded to a unit, the same for a whole tensor, and added as an integer:
///
///   unit of a tensor = 2^-36 of its largest sum in the step before, rounded up to a power of two;
///                      at least 2^-46 of the largest sum of all tensors
///
/// All ranks know that sum, so the units cost no message. In the first step they are made from the first
/// shard's gradient, which rank 0 computes and tells the others. A shard may exceed its tensor's last largest
/// sum 2^15-fold; what goes beyond, and what is not finite, is counted in a slot of its own behind the arena,
/// so that all ranks learn of it together. The units are state(): a continued training needs them.
///
/// Costs 8 instead of 4 bytes on the wire, and one pass over the arena for each shard.
class ExactGradientSum : public GradientSum {
 public:
  /// `shards`: of a step, over all ranks. `all_reduce`, `comm` and `layout` must outlive this object.
  /// Collective.
  ExactGradientSum(collective::AllReduce& all_reduce, const mpi::Communicator& comm,
                   const nn::ParameterLayout& layout, int shards, std::size_t bucket_bytes);

  std::span<float> arena() override { return arena_; }
  void begin_step(Requests own) override;
  void ready(std::size_t end, bool is_last) override;
  void end_shard(bool is_last) override;
  Outcome finish_step() override;
  GradientBuckets& buckets() override { return buckets_; }
  /// By tensor, the unit of the next step is 2 to minus this; empty before the first step.
  std::vector<std::int32_t> state() const override { return exponents_; }
  void restore(const std::vector<std::int32_t>& state) override;

 private:
  std::span<std::int64_t> slots() { return sums_.subspan(arena_.size()); }
  /// Chooses the units of the first step. Collective.
  void calibrate();
  /// magnitudes[t]: the tensor's values are smaller than 2 to that power; no_magnitude if they are all zero.
  void choose_exponents(std::span<const std::int32_t> magnitudes);
  void collect(std::size_t end);
  void convert_back(Range elements);

  const mpi::Communicator& comm_;
  const nn::ParameterLayout& layout_;
  int shards_;
  int bits_;                              // that a shard's value may have
  std::vector<float> arena_;              // of one shard; after finish_step(), the sum
  std::span<std::int64_t> sums_;          // the arena, and slots
  std::vector<std::int32_t> exponents_;   // by tensor: units of 2^-exponent; empty before the first step
  std::vector<std::int32_t> magnitudes_;  // by tensor, of the last sum
  bool holds_a_shard_ = false;            // of this step, which others are added to
  std::size_t collected_ = 0;             // tensors of the current shard
  std::size_t converted_ = 0;             // tensors of the sum
  GradientBuckets buckets_;
};

}  // namespace whorl::train
