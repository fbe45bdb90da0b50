// SPDX-License-Identifier: BSD-3-Clause
#include "train/buckets.hpp"

#include <algorithm>
#include <utility>

namespace whorl::train {

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::vector<std::size_t> bucket_ends(const nn::ParameterLayout& layout, std::size_t bucket_bytes) {
  std::vector<std::size_t> ends;
  std::size_t begin = 0;
  for (const nn::Tensor& tensor : layout.tensors()) {
    // Cut in front of the tensor, so that the gap behind the one before stays in its bucket.
    if ((tensor.offset - begin) * sizeof(float) >= bucket_bytes) ends.push_back(begin = tensor.offset);
  }
  if (begin < layout.size()) ends.push_back(layout.size());
  return ends;
}

GradientBuckets::GradientBuckets(collective::AllReduce& all_reduce, std::span<float> arena,
                                 const nn::ParameterLayout& layout, std::size_t bucket_bytes)
    : all_reduce_(all_reduce), arena_(arena), ends_(bucket_ends(layout, bucket_bytes)) {}

void GradientBuckets::ready(std::size_t end) {
  const Clock::time_point entered = Clock::now();
  if (tickets_.empty()) first_start_ = entered;
  start_up_to(end);
  if (!tickets_.empty()) all_reduce_.progress();
  in_ready_ += seconds_since(entered);
}

void GradientBuckets::finish() {
  const Clock::time_point waiting = Clock::now();
  if (tickets_.empty()) first_start_ = waiting;
  start_up_to(arena_.size());
  for (const collective::Ticket ticket : tickets_) all_reduce_.wait(ticket);
  tickets_.clear();
  const double exposed = in_ready_ + seconds_since(waiting);
  seconds_.exposed += exposed;
  seconds_.in_backward += in_ready_;
  seconds_.hidden += std::max(0.0, seconds_since(first_start_) - exposed);
  in_ready_ = 0;
}

void GradientBuckets::start_up_to(std::size_t end) {
  while (tickets_.size() < ends_.size() && ends_[tickets_.size()] <= end) {
    const Range floats = bucket(tickets_.size());
    tickets_.push_back(all_reduce_.start_sum(arena_.subspan(floats.begin, floats.size())));
  }
}

Range GradientBuckets::bucket(std::size_t index) const {
  return {static_cast<std::int64_t>(index == 0 ? 0 : ends_[index - 1]),
          static_cast<std::int64_t>(ends_[index])};
}

std::optional<collective::Cost> GradientBuckets::cost() const {
  collective::Cost sum;
  for (std::size_t i = 0; i < ends_.size(); ++i) {
    const std::optional<collective::Cost> one =
        all_reduce_.cost(static_cast<std::size_t>(bucket(i).size()) * sizeof(float));
    if (!one) return std::nullopt;
    sum.steps += one->steps;
    sum.bytes_sent += one->bytes_sent;
  }
  return sum;
}

GradientBuckets::Seconds GradientBuckets::take_seconds() {
  return std::exchange(seconds_, Seconds{});
}

}  // namespace whorl::train
