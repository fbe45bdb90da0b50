// SPDX-License-Identifier: BSD-3-Clause
#include "collective/background.hpp"

#include <chrono>
#include <utility>

namespace whorl::collective {
namespace {

/// At 1 Gbit/s, 25 kB come in this time: much less than the messages that are open.
constexpr auto rest = std::chrono::microseconds(200);

}  // namespace

Background::Background(std::unique_ptr<AllReduce> inner)
    : inner_(std::move(inner)), thread_([this] { run(); }) {}

Background::~Background() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::byte* Background::allocate_bytes(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  return std::as_writable_bytes(inner_->allocate<std::int64_t>((bytes + 7) / 8)).data();
}

std::optional<Cost> Background::spent() const {
  const std::scoped_lock lock(mutex_);
  return inner_->spent();
}

Ticket Background::start_sum(Values data) {
  const std::scoped_lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  const Ticket ticket = inner_->start_sum(data);
  if (under_way_.empty()) wake_.notify_one();
  under_way_.push_back(ticket);
  return ticket;
}

bool Background::done(Ticket ticket) const {
  const std::scoped_lock lock(mutex_);
  return failure_ || inner_->done(ticket);
}

void Background::wait(Ticket ticket) {
  const std::scoped_lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  inner_->wait(ticket);
  std::erase_if(under_way_, [&](Ticket one) { return one.id == ticket.id; });
}

void Background::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stop_ || !under_way_.empty(); });
    if (stop_) return;
    std::erase_if(under_way_, [&](Ticket ticket) { return inner_->done(ticket); });
    if (under_way_.empty()) continue;
    try {
      inner_->progress();
    } catch (...) {
      failure_ = std::current_exception();
      return;
    }
    lock.unlock();
    std::this_thread::sleep_for(rest);
    lock.lock();
  }
}

}  // namespace whorl::collective
