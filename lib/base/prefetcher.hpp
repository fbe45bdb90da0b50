// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.hpp"

namespace whorl {

/// How often and how long a consumer found nothing ready.
struct Stalls {
  std::int64_t count = 0;
  double seconds = 0;
};

/// Fills items in a background thread, up to `depth` ahead of their consumer. A fixed set of items goes round
/// between two queues, so that their memory is reused: the thread takes an empty one, fills it and puts it
/// into `ready_`; next() hands the oldest out and takes the one handed out before back into `empty_`.
template <typename Item>
class Prefetcher {
 public:
  /// Makes the next item in place, in the background thread; false when there are no more.
  using Fill = std::function<bool(Item&)>;
  Prefetcher(int depth, Fill fill) : fill_(std::move(fill)) {
    require(depth >= 1, "reading ahead means at least one item, not {}", depth);
    empty_.resize(static_cast<std::size_t>(depth));
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next item, which holds until the next call, or null after the last one. Blocks while it is not
  /// ready. An exception of `fill` is thrown here, after the items that were whole before it, and at every
  /// later call.
  Item* next() {
    std::unique_lock lock(mutex_);
    if (holds_item_) empty_.push_back(std::move(current_));
    holds_item_ = false;
    changed_.notify_all();
    const auto is_ready = [&] { return !ready_.empty() || ended_; };
    if (!is_ready()) wait(lock, is_ready);
    if (ready_.empty()) {
      if (failure_) std::rethrow_exception(failure_);
      return nullptr;
    }
    current_ = std::move(ready_.front());
    ready_.pop_front();
    holds_item_ = true;
    return &current_;
  }
  /// Of next() so far; asked by its caller.
  const Stalls& stalls() const { return stalls_; }

 private:
  template <typename IsReady>
  void wait(std::unique_lock<std::mutex>& lock, IsReady is_ready) {
    const auto start = std::chrono::steady_clock::now();
    changed_.wait(lock, is_ready);
    stalls_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++stalls_.count;
  }

  void run(const std::stop_token& stop) {
    std::exception_ptr failure;
    try {
      Item item;
      while (take_empty(stop, item) && fill_(item)) {
        const std::lock_guard lock(mutex_);
        ready_.push_back(std::move(item));
        changed_.notify_all();
      }
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    failure_ = failure;
    ended_ = true;
    changed_.notify_all();
  }

  /// False when the prefetcher is going away.
  bool take_empty(const std::stop_token& stop, Item& item) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !empty_.empty(); }) || stop.stop_requested()) return false;
    item = std::move(empty_.front());
    empty_.pop_front();
    return true;
  }

  Fill fill_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Item> empty_, ready_;  // guarded by mutex_, like the following two
  std::exception_ptr failure_;
  bool ended_ = false;
  Item current_;
  bool holds_item_ = false;
  Stalls stalls_;
  std::jthread thread_;  // last: joined before anything above goes
};

}  // namespace whorl
