// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/thread_team.hpp"
#include "nn/executor.hpp"

namespace whorl::train {

/// The network compiled once for each thread of this rank: a shard is computed by one thread from its
/// pictures to its gradient, so that threads meet only where gradients are added, as ranks do.
class Replicas {
 public:
  /// All replicas compute as the first: by its plan().
  Replicas(const nn::Network& network, const std::string& backend, const nn::CompileOptions& options,
           int threads);

  int size() const { return team_.size(); }
  nn::Executor& operator[](int number) { return *executors_[static_cast<std::size_t>(number)]; }
  std::string name() const { return executors_.front()->name(); }
  std::string plan() const { return executors_.front()->plan(); }
  std::size_t memory_bytes() const;

  void set_parameters(std::span<const float> parameters);
  /// work(number, executor) for the first `count` replicas beside each other, the first on the calling
  /// thread. Result: for how many seconds that waited for the others to end.
  double run(int count, const std::function<void(int, nn::Executor&)>& work);
  /// Of the first replica: its thread's time is the rank's. Forgets the others'.
  nn::Executor::PassSeconds take_pass_seconds();

 private:
  ThreadTeam team_;
  std::vector<std::unique_ptr<nn::Executor>> executors_;
};

}  // namespace whorl::train
