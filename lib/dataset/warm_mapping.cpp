// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/warm_mapping.hpp"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include <cstring>

namespace whorl::dataset {

namespace {

// The kernel says by SIGBUS that a mapped file has become shorter, or that its disk fails. During a copy the
// handler jumps back to it; anywhere else the signal does what it did before.
thread_local sigjmp_buf* copy_in_progress = nullptr;
struct sigaction previous_action {};

void on_bus_error(int signal) {
  if (copy_in_progress != nullptr) siglongjmp(*copy_in_progress, 1);
  sigaction(signal, &previous_action, nullptr);  // the access is repeated, now unguarded
}

bool catch_bus_errors() {
  struct sigaction action {};
  action.sa_handler = on_bus_error;
  action.sa_flags =
      SA_NODEFER;  // so that jumping out leaves no signal blocked, and sigsetjmp need not save the mask
  return sigaction(SIGBUS, &action, &previous_action) == 0;
}

/// memcpy; false if the source cannot be read.
bool guarded_copy(std::byte* to, const std::byte* from, std::size_t count) {
  sigjmp_buf back;
  if (sigsetjmp(back, 0) != 0) {
    copy_in_progress = nullptr;
    return false;
  }
  copy_in_progress = &back;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::memcpy(to, from, count);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  copy_in_progress = nullptr;
  return true;
}

}  // namespace

WarmMapping::WarmMapping(const std::byte* start, std::int64_t size)
    : start_(start),
      size_(size),
      read_before_(
          std::make_unique<std::atomic<bool>[]>(static_cast<std::size_t>((size + page - 1) / page))) {}

std::unique_ptr<WarmMapping> WarmMapping::create(int descriptor, std::int64_t size) {
  static const bool caught = catch_bus_errors();
  if (!caught || size == 0) return nullptr;
  void* const start = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_SHARED, descriptor, 0);
  if (start == MAP_FAILED) return nullptr;
  return std::unique_ptr<WarmMapping>(new WarmMapping(static_cast<const std::byte*>(start), size));
}

WarmMapping::~WarmMapping() {
  ::munmap(const_cast<std::byte*>(start_), static_cast<std::size_t>(size_));
}

bool WarmMapping::copy(std::int64_t offset, std::span<std::byte> out) const {
  const std::int64_t end = offset + std::ssize(out);
  if (offset < 0 || end > size_) return false;
  for (std::int64_t i = offset / page; i * page < end; ++i)
    if (!read_before_[static_cast<std::size_t>(i)].load(std::memory_order_relaxed)) return false;
  return guarded_copy(out.data(), start_ + offset, out.size());
}

// A page that was read in part is in the page cache as a whole.
void WarmMapping::mark(std::int64_t offset, std::int64_t count) {
  for (std::int64_t i = offset / page; i * page < offset + count && i * page < size_; ++i)
    read_before_[static_cast<std::size_t>(i)].store(true, std::memory_order_relaxed);
}

}  // namespace whorl::dataset
