// SPDX-License-Identifier: BSD-3-Clause
#include "train/gradient_sum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "train/fixed_point.hpp"

namespace whorl::train {
namespace {

using collective::Element;

constexpr std::int32_t no_magnitude = std::numeric_limits<std::int32_t>::min();
/// How many bits a shard's values may grow beyond the last sum.
constexpr int headroom = 15;
/// How many bits a tensor may have less than the largest. One that was all zero may come to life.
constexpr int floor_bits = 10;

std::int32_t bit_width(std::uint64_t bits) {
  return static_cast<std::int32_t>(std::bit_width(bits));
}

bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t exponent = 0x7f800000;  // all ones: infinity or NaN
  std::uint32_t found = 0;
  for (const float value : values)
    found |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(value) & exponent) == exponent);
  return found == 0;
}

/// Of the largest finite value.
std::int32_t magnitude_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  return largest > 0 ? std::ilogb(largest) + 1 : no_magnitude;
}

/// Behind the gradients, in the last bucket.
enum Slot : std::size_t { unfit_slot, stop_slot, checkpoint_slot, slot_count };

std::vector<std::size_t> ends_with_slots(const nn::ParameterLayout& layout, Element element,
                                         std::size_t bucket_bytes) {
  std::vector<std::size_t> ends = bucket_ends(layout, element, bucket_bytes);
  ends.back() += slot_count;
  return ends;
}

template <typename T>
void set_requests(std::span<T> slots, Requests own) {
  slots[stop_slot] = own.stop ? 1 : 0;
  slots[checkpoint_slot] = own.checkpoint ? 1 : 0;
}

template <typename T>
Requests agreed_requests(std::span<const T> slots) {
  return {.stop = slots[stop_slot] > 0, .checkpoint = slots[checkpoint_slot] > 0};
}

}  // namespace

std::vector<std::size_t> bucket_counts(const nn::ParameterLayout& layout, Element element,
                                       std::size_t bucket_bytes) {
  std::vector<std::size_t> counts = bucket_ends(layout, element, bucket_bytes);
  std::adjacent_difference(counts.begin(), counts.end(), counts.begin());
  return counts;
}

void GradientSum::restore(const std::vector<std::int32_t>& state) {
  require(state.empty(), "sums of float32 have no state, but {} values are to be restored", state.size());
}

void FinalPrefix::reset() {
  for (auto& end : ends_) end = 0;
}

std::size_t FinalPrefix::of_all() const {
  return *std::min_element(ends_.begin(), ends_.end());
}

FloatGradientSum::FloatGradientSum(collective::AllReduce& all_reduce, const nn::ParameterLayout& layout,
                                   std::size_t bucket_bytes, int replicas)
    : size_(layout.size()),
      sums_(all_reduce.allocate<float>(size_ + slot_count)),
      others_(static_cast<std::size_t>(replicas) - 1, std::vector<float>(size_)),
      final_(replicas),
      buckets_(all_reduce, sums_, ends_with_slots(layout, Element::float32, bucket_bytes)) {}

std::span<float> FloatGradientSum::arena(int replica) {
  return replica == 0 ? sums_.first(size_) : std::span(others_[static_cast<std::size_t>(replica) - 1]);
}

void FloatGradientSum::begin_step(Requests own) {
  std::fill(sums_.begin(), sums_.end(), 0.0f);
  for (auto& arena : others_) std::fill(arena.begin(), arena.end(), 0.0f);
  set_requests(sums_.subspan(size_), own);
  final_.reset();
  added_ = 0;
}

void FloatGradientSum::ready(int replica, std::size_t end, bool is_last) {
  if (!is_last) return;
  final_.advance(replica, end);
  if (replica > 0) return;
  const std::size_t final_end = final_.of_all();
  add_replicas(final_end);
  buckets_.ready(final_end);
}

void FloatGradientSum::end_shard(int replica, bool is_last) {
  ready(replica, size_, is_last);
}

void FloatGradientSum::add_replicas(std::size_t end) {
  for (const auto& arena : others_) {
    for (std::size_t i = added_; i < end; ++i) sums_[i] += arena[i];
  }
  added_ = std::max(added_, end);
}

GradientSum::Outcome FloatGradientSum::finish_step() {
  add_replicas(size_);
  buckets_.finish();
  return {all_finite(sum()), agreed_requests<float>(sums_.subspan(size_))};
}

ExactGradientSum::ExactGradientSum(collective::AllReduce& all_reduce, const mpi::Communicator& comm,
                                   const nn::ParameterLayout& layout, int shards, std::size_t bucket_bytes,
                                   int replicas)
    : comm_(comm),
      layout_(layout),
      shards_(shards),
      bits_(std::min(fixed_point_bits, 62 - bit_width(static_cast<std::uint64_t>(shards)))),
      replicas_(static_cast<std::size_t>(replicas), Replica{.arena = std::vector<float>(layout.size())}),
      sums_(all_reduce.allocate<std::int64_t>(layout.size() + slot_count)),
      tensor_sums_(layout.tensors().size()),
      magnitudes_(layout.tensors().size(), no_magnitude),
      final_(replicas),
      buckets_(all_reduce, sums_, ends_with_slots(layout, Element::int64, bucket_bytes)) {}

void ExactGradientSum::begin_step(Requests own) {
  std::ranges::fill(replicas_.front().arena, 0.0f);  // of the last sum; collect() leaves zeros
  for (TensorSum& tensor : tensor_sums_) tensor.holds_a_shard = false;
  std::ranges::fill(slots(), 0);
  set_requests(slots(), own);
  is_unfit_ = false;
  converted_ = 0;
  final_.reset();
}

void ExactGradientSum::ready(int replica, std::size_t end, bool is_last) {
  if (!is_calibrated()) return;
  collect(replicas_[static_cast<std::size_t>(replica)], end);
  if (!is_last) return;
  final_.advance(replica, end);
  // The last bucket holds the slots, which are final in finish_step() only.
  if (replica == 0) buckets_.ready(final_.of_all());
}

void ExactGradientSum::end_shard(int replica, bool is_last) {
  if (!is_calibrated()) calibrate();
  ready(replica, layout_.size(), is_last);
  replicas_[static_cast<std::size_t>(replica)].collected = 0;
}

void ExactGradientSum::collect(Replica& replica, std::size_t end) {
  const std::vector<nn::Tensor>& tensors = layout_.tensors();
  for (; replica.collected < tensors.size() && tensors[replica.collected].offset < end; ++replica.collected) {
    const nn::Tensor& tensor = tensors[replica.collected];
    TensorSum& sum = tensor_sums_[replica.collected];
    const std::scoped_lock lock(sum.mutex);
    const bool fits = move_to_fixed(std::span(replica.arena).subspan(tensor.offset, tensor.count),
                                    exponents_[replica.collected], bits_, sum.holds_a_shard,
                                    sums_.subspan(tensor.offset, tensor.count));
    sum.holds_a_shard = true;
    if (!fits) is_unfit_ = true;
  }
}

GradientSum::Outcome ExactGradientSum::finish_step() {
  if (!tensor_sums_.front().holds_a_shard) std::ranges::fill(sums_.first(layout_.size()), 0);
  if (!is_calibrated()) calibrate();  // this rank has no shard
  if (is_unfit_) slots()[unfit_slot] = 1;
  buckets_.finish([this](Range elements) { convert_back(elements); });
  choose_exponents(magnitudes_);
  return {slots()[unfit_slot] == 0, agreed_requests<std::int64_t>(slots())};
}

void ExactGradientSum::convert_back(Range elements) {
  const std::vector<nn::Tensor>& tensors = layout_.tensors();
  for (; converted_ < tensors.size() && static_cast<std::int64_t>(tensors[converted_].offset) < elements.end;
       ++converted_) {
    const nn::Tensor& tensor = tensors[converted_];
    const std::int32_t exponent = exponents_[converted_];
    const std::uint64_t bits = from_fixed(sums_.subspan(tensor.offset, tensor.count), exponent,
                                          arena(0).subspan(tensor.offset, tensor.count));
    magnitudes_[converted_] = bits == 0 ? no_magnitude : bit_width(bits) - exponent;
  }
}

void ExactGradientSum::restore(const std::vector<std::int32_t>& state) {
  require(state.empty() || state.size() == layout_.tensors().size(),
          "exact sums of {} tensors cannot go on with the units of {}", layout_.tensors().size(),
          state.size());
  constexpr std::int32_t most = 1000;  // far beyond those of any float32
  require(
      std::ranges::all_of(state, [](std::int32_t exponent) { return exponent >= -most && exponent <= most; }),
      "exact sums cannot go on with units beyond 2^{}", most);
  exponents_ = state;
}

void ExactGradientSum::calibrate() {
  const std::vector<nn::Tensor>& tensors = layout_.tensors();
  std::vector<std::int32_t> magnitudes(tensors.size());
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    magnitudes[t] = magnitude_of(arena(0).subspan(tensors[t].offset, tensors[t].count));
    if (magnitudes[t] != no_magnitude) magnitudes[t] += bit_width(static_cast<std::uint64_t>(shards_));
  }
  comm_.broadcast(std::span(magnitudes));  // rank 0 has the first shard
  exponents_.assign(tensors.size(), 0);    // of a gradient that is zero everywhere
  choose_exponents(magnitudes);
}

void ExactGradientSum::choose_exponents(std::span<const std::int32_t> magnitudes) {
  const std::int32_t largest = *std::max_element(magnitudes.begin(), magnitudes.end());
  if (largest == no_magnitude) return;
  for (std::size_t t = 0; t < exponents_.size(); ++t)
    exponents_[t] = bits_ - headroom - std::max(magnitudes[t], largest - floor_bits);
}

}  // namespace whorl::train
