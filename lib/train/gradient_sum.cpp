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

std::vector<std::size_t> ends_with_count(const nn::ParameterLayout& layout, std::size_t bucket_bytes,
                                         std::size_t size) {
  std::vector<std::size_t> ends = bucket_ends(layout, Element::int64, bucket_bytes);
  ends.back() = size;
  return ends;
}

}  // namespace

std::vector<std::size_t> bucket_counts(const nn::ParameterLayout& layout, Element element,
                                       std::size_t bucket_bytes) {
  std::vector<std::size_t> counts = bucket_ends(layout, element, bucket_bytes);
  std::adjacent_difference(counts.begin(), counts.end(), counts.begin());
  return counts;
}

FloatGradientSum::FloatGradientSum(collective::AllReduce& all_reduce, const nn::ParameterLayout& layout,
                                   std::size_t bucket_bytes)
    : arena_(all_reduce.allocate<float>(layout.size())),
      buckets_(all_reduce, arena_, bucket_ends(layout, Element::float32, bucket_bytes)) {}

void FloatGradientSum::begin_step() {
  std::fill(arena_.begin(), arena_.end(), 0.0f);
}

void FloatGradientSum::ready(std::size_t end, bool is_last) {
  if (is_last) buckets_.ready(end);
}

void FloatGradientSum::end_shard(bool is_last) {
  ready(arena_.size(), is_last);
}

bool FloatGradientSum::finish_step() {
  buckets_.finish();
  return all_finite(arena_);
}

ExactGradientSum::ExactGradientSum(collective::AllReduce& all_reduce, const mpi::Communicator& comm,
                                   const nn::ParameterLayout& layout, int shards, std::size_t bucket_bytes)
    : comm_(comm),
      layout_(layout),
      shards_(shards),
      bits_(std::min(fixed_point_bits, 62 - bit_width(static_cast<std::uint64_t>(shards)))),
      arena_(layout.size()),
      sums_(all_reduce.allocate<std::int64_t>(layout.size() + 1)),
      magnitudes_(layout.tensors().size(), no_magnitude),
      buckets_(all_reduce, sums_, ends_with_count(layout, bucket_bytes, sums_.size())) {}

void ExactGradientSum::begin_step() {
  std::fill(arena_.begin(), arena_.end(), 0.0f);
  std::fill(sums_.begin(), sums_.end(), 0);
  converted_ = 0;
}

void ExactGradientSum::ready(std::size_t end, bool is_last) {
  if (exponents_.empty()) return;
  collect(end);
  if (is_last) buckets_.ready(end);
}

void ExactGradientSum::end_shard(bool is_last) {
  if (exponents_.empty()) calibrate();
  ready(arena_.size(), is_last);
  collected_ = 0;
}

void ExactGradientSum::collect(std::size_t end) {
  const std::vector<nn::Tensor>& tensors = layout_.tensors();
  for (; collected_ < tensors.size() && tensors[collected_].offset < end; ++collected_) {
    const nn::Tensor& tensor = tensors[collected_];
    const bool fits =
        move_to_fixed(std::span(arena_).subspan(tensor.offset, tensor.count), exponents_[collected_], bits_,
                      sums_.subspan(tensor.offset, tensor.count));
    if (!fits) ++sums_.back();
  }
}

bool ExactGradientSum::finish_step() {
  if (exponents_.empty()) calibrate();  // this rank has no shard
  buckets_.finish([this](Range elements) { convert_back(elements); });
  choose_exponents(magnitudes_);
  return sums_.back() == 0;
}

void ExactGradientSum::convert_back(Range elements) {
  const std::vector<nn::Tensor>& tensors = layout_.tensors();
  for (; converted_ < tensors.size() && static_cast<std::int64_t>(tensors[converted_].offset) < elements.end;
       ++converted_) {
    const nn::Tensor& tensor = tensors[converted_];
    const std::int32_t exponent = exponents_[converted_];
    const std::uint64_t bits = from_fixed(sums_.subspan(tensor.offset, tensor.count), exponent,
                                          std::span(arena_).subspan(tensor.offset, tensor.count));
    magnitudes_[converted_] = bits == 0 ? no_magnitude : bit_width(bits) - exponent;
  }
}

void ExactGradientSum::calibrate() {
  const std::vector<nn::Tensor>& tensors = layout_.tensors();
  std::vector<std::int32_t> magnitudes(tensors.size());
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    magnitudes[t] = magnitude_of(std::span(arena_).subspan(tensors[t].offset, tensors[t].count));
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
