// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace whorl {

/// Threads that do work side by side, again and again; the caller is the first of them. The others take no
/// signals from outside: handlers may need the caller's alternate stack (see StopRequest).
class ThreadTeam {
 public:
  /// `size` >= 1.
  explicit ThreadTeam(int size);
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }
  /// work(0), on the calling thread, to work(count - 1), `count` <= size(), beside each other; returns when
  /// all have. Rethrows an exception: that of the lowest number which threw. Result: for how many seconds
  /// work(0) waited for the others to end.
  double run(int count, const std::function<void(int)>& work);

 private:
  void wait_for_work(int number, const std::stop_token& stop);
  void run_one(int number);

  std::mutex mutex_;
  std::condition_variable_any started_, ended_;
  const std::function<void(int)>* work_ = nullptr;
  std::int64_t round_ = 0;  // of work, so that none is taken twice
  int count_ = 0, running_ = 0;
  std::vector<std::exception_ptr> failures_;  // by number; each thread writes its own
  std::vector<std::jthread> threads_;         // last: they end before anything above goes
};

}  // namespace whorl
