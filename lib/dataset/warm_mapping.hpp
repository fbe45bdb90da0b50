// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

namespace whorl::dataset {

/// A file mapped into memory, of which only those pages are used that have been read before and so are most
/// likely in the page cache: a copy out of them needs no system call. A first read through a mapping would
/// fault page by page. May be used by several threads at once.
class WarmMapping {
 public:
  /// The first `size` bytes of the open file. Null where it cannot be mapped.
  static std::unique_ptr<WarmMapping> create(int descriptor, std::int64_t size);
  ~WarmMapping();
  WarmMapping(const WarmMapping&) = delete;
  WarmMapping& operator=(const WarmMapping&) = delete;

  /// Copies the bytes from `offset` on. False, with `out` undefined, unless mark() has covered them all, or
  /// where the file has been cut short meanwhile.
  bool copy(std::int64_t offset, std::span<std::byte> out) const;
  /// These bytes have just been read.
  void mark(std::int64_t offset, std::int64_t count);

 private:
  WarmMapping(const std::byte* start, std::int64_t size);
  static constexpr std::int64_t page = 4096;  // of the marks; need not be the system's
  const std::byte* start_;
  std::int64_t size_;
  std::unique_ptr<std::atomic<bool>[]> read_before_;  // by page
};

}  // namespace whorl::dataset
