// SPDX-License-Identifier: BSD-3-Clause
#include "base/thread_team.hpp"

#include <signal.h>

#include "base/error.hpp"
#include "base/stopwatch.hpp"

namespace whorl {

namespace {

/// Threads started meanwhile inherit that no signal is theirs but those of their own doing: the kernel kills
/// a process for a blocked SIGBUS, which reading from a mapping may raise.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t others;
    sigfillset(&others);
    for (const int own : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) sigdelset(&others, own);
    const int failed = pthread_sigmask(SIG_SETMASK, &others, &before_);
    require(failed == 0, "cannot keep signals from new threads: {}", system_error_text(failed));
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

ThreadTeam::ThreadTeam(int size) {
  require(size >= 1, "a team of {} threads: it needs at least 1", size);
  failures_.resize(static_cast<std::size_t>(size));
  const SignalsBlocked blocked;
  for (int number = 1; number < size; ++number)
    threads_.emplace_back([this, number](const std::stop_token& stop) { wait_for_work(number, stop); });
}

double ThreadTeam::run(int count, const std::function<void(int)>& work) {
  require(count >= 1 && count <= size(), "{} pieces of work for {} threads", count, size());
  {
    const std::scoped_lock lock(mutex_);
    work_ = &work;
    count_ = count;
    running_ = count - 1;
    ++round_;
  }
  started_.notify_all();
  run_one(0);
  double waited = 0;
  {
    const Stopwatch stopwatch(waited);
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return running_ == 0; });
  }
  std::exception_ptr failure;
  for (std::exception_ptr& one : failures_) {
    if (!failure) failure = one;
    one = nullptr;
  }
  if (failure) std::rethrow_exception(failure);
  return waited;
}

void ThreadTeam::wait_for_work(int number, const std::stop_token& stop) {
  std::int64_t done = 0;
  std::unique_lock lock(mutex_);
  while (started_.wait(lock, stop, [&] { return round_ > done; })) {
    done = round_;
    if (number >= count_) continue;
    lock.unlock();
    run_one(number);
    lock.lock();
    if (--running_ == 0) ended_.notify_one();
  }
}

void ThreadTeam::run_one(int number) {
  try {
    (*work_)(number);
  } catch (...) {
    failures_[static_cast<std::size_t>(number)] = std::current_exception();
  }
}

}  // namespace whorl
