// SPDX-License-Identifier: BSD-3-Clause
#include "train/replicas.hpp"

#include <numeric>
#include <utility>

namespace whorl::train {

Replicas::Replicas(const nn::Network& network, const std::string& backend, const nn::CompileOptions& options,
                   int threads)
    : team_(threads), executors_(static_cast<std::size_t>(threads)) {
  executors_.front() = nn::compile(network, backend, options);
  nn::CompileOptions same = options;
  same.plan = plan();
  team_.run(threads, [&](int number) {
    if (number > 0) executors_[static_cast<std::size_t>(number)] = nn::compile(network, backend, same);
  });
}

std::size_t Replicas::memory_bytes() const {
  return std::accumulate(
      executors_.begin(), executors_.end(), std::size_t{0},
      [](std::size_t sum, const auto& executor) { return sum + executor->memory_bytes(); });
}

void Replicas::set_parameters(std::span<const float> parameters) {
  run(size(), [&](int, nn::Executor& executor) { executor.set_parameters(parameters); });
}

double Replicas::run(int count, const std::function<void(int, nn::Executor&)>& work) {
  return team_.run(count, [&](int number) { work(number, (*this)[number]); });
}

nn::Executor::PassSeconds Replicas::take_pass_seconds() {
  for (const auto& executor : executors_) {
    if (executor != executors_.front()) executor->take_pass_seconds();
  }
  return executors_.front()->take_pass_seconds();
}

}  // namespace whorl::train
