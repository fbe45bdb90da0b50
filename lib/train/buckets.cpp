// SPDX-License-Identifier: BSD-3-Clause
#include "train/buckets.hpp"

#include <algorithm>
#include <utility>

#include "base/stopwatch.hpp"

namespace whorl::train {

std::vector<std::size_t> bucket_ends(const nn::ParameterLayout& layout, collective::Element element,
                                     std::size_t bucket_bytes) {
  std::vector<std::size_t> ends;
  std::size_t begin = 0;
  for (const nn::Tensor& tensor : layout.tensors()) {
    // Cut in front of the tensor, so that the gap behind the one before stays in its bucket.
    if ((tensor.offset - begin) * size_of(element) >= bucket_bytes) ends.push_back(begin = tensor.offset);
  }
  if (begin < layout.size()) ends.push_back(layout.size());
  return ends;
}

GradientBuckets::GradientBuckets(collective::AllReduce& all_reduce, collective::Values arena,
                                 std::vector<std::size_t> ends)
    : all_reduce_(all_reduce), arena_(arena), ends_(std::move(ends)) {}

void GradientBuckets::ready(std::size_t end) {
  const Stopwatch stopwatch(exposed_);
  start_up_to(end);
  if (!tickets_.empty()) all_reduce_.progress();
}

void GradientBuckets::finish(const std::function<void(Range)>& summed) {
  {
    const Stopwatch stopwatch(exposed_);
    start_up_to(arena_.size());
  }
  for (std::size_t i = 0; i < ends_.size(); ++i) {
    {
      const Stopwatch stopwatch(exposed_);
      all_reduce_.wait(tickets_[i]);
    }
    if (summed) summed(bucket(i));
  }
  tickets_.clear();
}

void GradientBuckets::start_up_to(std::size_t end) {
  while (tickets_.size() < ends_.size() && ends_[tickets_.size()] <= end)
    tickets_.push_back(all_reduce_.start_sum(values_of(tickets_.size())));
}

Range GradientBuckets::bucket(std::size_t index) const {
  return {static_cast<std::int64_t>(index == 0 ? 0 : ends_[index - 1]),
          static_cast<std::int64_t>(ends_[index])};
}

collective::Values GradientBuckets::values_of(std::size_t index) const {
  const Range elements = bucket(index);
  return arena_.subspan(static_cast<std::size_t>(elements.begin), static_cast<std::size_t>(elements.size()));
}

std::optional<collective::Cost> GradientBuckets::cost() const {
  collective::Cost sum;
  for (std::size_t i = 0; i < ends_.size(); ++i) {
    const std::optional<collective::Cost> one = all_reduce_.cost(values_of(i));
    if (!one) return std::nullopt;
    sum.steps += one->steps;
    sum.bytes_sent += one->bytes_sent;
  }
  return sum;
}

}  // namespace whorl::train
