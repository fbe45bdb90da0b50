// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
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

/// Sums the gradients of a step, over the shards of all replicas (threads) of all ranks:
///
///   begin_step()
///   for replica of this rank, each on its thread, the first on that which calls begin and finish:
///     for shard of this replica, at least one where the rank has any:
///       add its gradient to arena(replica), with ready(replica, end, is_last) as often as a prefix is final
///       end_shard(replica, is_last)
///   finish_step(): sum() holds the sum
///
/// While the last shards' backward passes go on, buckets are already being summed over the ranks.
class GradientSum {
 public:
  virtual ~GradientSum() = default;
  /// What a shard's gradient is added to.
  virtual std::span<float> arena(int replica) = 0;
  virtual std::span<const float> sum() const = 0;
  /// `own`: what this rank asks for.
  virtual void begin_step(Requests own) = 0;
  /// The current shard's gradients [0, end) are final; `is_last`: so are this replica's.
  virtual void ready(int replica, std::size_t end, bool is_last) = 0;
  virtual void end_shard(int replica, bool is_last) = 0;
  /// False before the first shard of a sum that learns from it: the first replica must end that before the
  /// others begin.
  virtual bool is_calibrated() const { return true; }
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

/// How far all replicas of a rank have come: each tells, the first asks.
class FinalPrefix {
 public:
  explicit FinalPrefix(int replicas) : ends_(static_cast<std::size_t>(replicas)) {}
  void reset();
  /// This replica's gradients [0, end) are final.
  void advance(int replica, std::size_t end) { ends_[static_cast<std::size_t>(replica)] = end; }
  std::size_t of_all() const;

 private:
  std::vector<std::atomic<std::size_t>> ends_;
};

/// How many elements the buckets of a GradientSum have, for those who want to time them first.
std::vector<std::size_t> bucket_counts(const nn::ParameterLayout& layout, collective::Element element,
                                       std::size_t bucket_bytes);

/// Sums float32: shards of a replica in their order, then replicas in theirs, ranks in the order of the
/// all-reduce. The last bits depend on the number of ranks, of replicas and on the algorithm.
class FloatGradientSum : public GradientSum {
 public:
  /// `all_reduce` must outlive this object. Collective.
  FloatGradientSum(collective::AllReduce& all_reduce, const nn::ParameterLayout& layout,
                   std::size_t bucket_bytes, int replicas);

  std::span<float> arena(int replica) override;
  std::span<const float> sum() const override { return sums_.first(size_); }
  void begin_step(Requests own) override;
  void ready(int replica, std::size_t end, bool is_last) override;
  void end_shard(int replica, bool is_last) override;
  Outcome finish_step() override;
  GradientBuckets& buckets() override { return buckets_; }

 private:
  /// Adds the other replicas' [added_, end) to the first's.
  void add_replicas(std::size_t end);

  std::size_t size_;                        // of the arena
  std::span<float> sums_;                   // the first replica's arena, and slots
  std::vector<std::vector<float>> others_;  // arenas
  FinalPrefix final_;
  std::size_t added_ = 0;
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
/// Costs 8 bytes more for each parameter in memory, on the wire as a rule 5 instead of 4
/// (collective/packed.hpp), and one pass over the arena for each shard.
class ExactGradientSum : public GradientSum {
 public:
  /// `shards`: of a step, over all ranks. `all_reduce`, `comm` and `layout` must outlive this object.
  /// Collective.
  ExactGradientSum(collective::AllReduce& all_reduce, const mpi::Communicator& comm,
                   const nn::ParameterLayout& layout, int shards, std::size_t bucket_bytes, int replicas);

  std::span<float> arena(int replica) override { return replicas_[static_cast<std::size_t>(replica)].arena; }
  std::span<const float> sum() const override { return replicas_.front().arena; }
  void begin_step(Requests own) override;
  void ready(int replica, std::size_t end, bool is_last) override;
  void end_shard(int replica, bool is_last) override;
  bool is_calibrated() const override { return !exponents_.empty(); }
  Outcome finish_step() override;
  GradientBuckets& buckets() override { return buckets_; }
  /// By tensor, the unit of the next step is 2 to minus this; empty before the first step.
  std::vector<std::int32_t> state() const override { return exponents_; }
  void restore(const std::vector<std::int32_t>& state) override;

 private:
  struct Replica {
    std::vector<float> arena;   // of one shard; of the first, after finish_step(), the sum
    std::size_t collected = 0;  // tensors of the current shard
  };
  /// Of all replicas' sums. Guarded by its mutex.
  struct TensorSum {
    std::mutex mutex;
    bool holds_a_shard = false;  // of this step, which others are added to
  };

  std::span<std::int64_t> slots() { return sums_.subspan(layout_.size()); }
  /// Chooses the units of the first step. Collective.
  void calibrate();
  /// magnitudes[t]: the tensor's values are smaller than 2 to that power; no_magnitude if they are all zero.
  void choose_exponents(std::span<const std::int32_t> magnitudes);
  void collect(Replica& replica, std::size_t end);
  void convert_back(Range elements);

  const mpi::Communicator& comm_;
  const nn::ParameterLayout& layout_;
  int shards_;
  int bits_;                       // that a shard's value may have
  std::vector<Replica> replicas_;  // each its thread's own
  std::span<std::int64_t> sums_;   // the arena, and slots
  std::vector<TensorSum> tensor_sums_;
  std::atomic<bool> is_unfit_ = false;    // a value of this rank
  std::vector<std::int32_t> exponents_;   // by tensor: units of 2^-exponent; empty before the first step
  std::vector<std::int32_t> magnitudes_;  // by tensor, of the last sum
  std::size_t converted_ = 0;             // tensors of the sum
  FinalPrefix final_;
  GradientBuckets buckets_;
};

}  // namespace whorl::train
