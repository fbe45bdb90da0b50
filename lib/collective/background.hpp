// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "collective/all_reduce.hpp"

namespace whorl::collective {

/// Moves the sums of another all-reduce on from a thread of its own, so that a slow network is kept busy
/// however long the caller computes. The thread looks after them several thousand times a second, sleeps
/// between, and rests while no sum is under way. It calls MPI: while sums are under way, the caller must not,
/// other than through this object (MPI_THREAD_SERIALIZED).
class Background : public AllReduce {
 public:
  explicit Background(std::unique_ptr<AllReduce> inner);
  ~Background() override;

  std::string name() const override { return inner_->name(); }
  std::optional<Cost> cost(Values data) const override { return inner_->cost(data); }
  std::optional<Cost> spent() const override;
  Ticket start_sum(Values data) override;
  void progress() override {}
  bool done(Ticket ticket) const override;
  void wait(Ticket ticket) override;

 protected:
  std::byte* allocate_bytes(std::size_t bytes) override;

 private:
  void run();

  std::unique_ptr<AllReduce> inner_;
  mutable std::mutex mutex_;  // of inner_ and all below
  std::condition_variable wake_;
  std::vector<Ticket> under_way_;  // started and not yet known to be done; they may end in any order
  std::exception_ptr failure_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace whorl::collective
