// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/memory_plan.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace whorl::nn::cpu {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t alignment = 4096;

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

HugeBuffer::HugeBuffer(std::size_t bytes) : bytes_(round_up(std::max<std::size_t>(bytes, 1), alignment)) {
  const std::size_t allocated = round_up(bytes_, bytes_ < huge_page ? alignment : huge_page);
  const std::size_t boundary = std::min(allocated, huge_page) == huge_page ? huge_page : alignment;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(boundary, allocated)));
  if (!data_) throw std::bad_alloc();
  // Only advice: where the kernel declines, the same memory comes in small pages.
  if (boundary == huge_page) (void)madvise(data_.get(), allocated, MADV_HUGEPAGE);
  std::memset(data_.get(), 0, allocated);
}

int MemoryPlan::reserve(std::size_t bytes, int first, int last) {
  reservations_.push_back({round_up(bytes, alignment), 0, first, last});
  return static_cast<int>(reservations_.size()) - 1;
}

void MemoryPlan::allocate() {
  std::vector<Reservation*> by_size;
  for (Reservation& reservation : reservations_) by_size.push_back(&reservation);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [](const Reservation* a, const Reservation* b) { return a->bytes > b->bytes; });
  std::vector<const Reservation*> placed;
  std::size_t end = 0;
  for (Reservation* reservation : by_size) {
    reservation->offset = lowest_free_offset(*reservation, placed);
    end = std::max(end, reservation->offset + reservation->bytes);
    placed.push_back(reservation);
    std::sort(placed.begin(), placed.end(),
              [](const Reservation* a, const Reservation* b) { return a->offset < b->offset; });
  }
  memory_ = HugeBuffer(end);
}

std::size_t MemoryPlan::lowest_free_offset(const Reservation& wanted,
                                           const std::vector<const Reservation*>& placed) const {
  std::size_t offset = 0;
  for (const Reservation* other : placed) {  // by rising offset
    const bool same_time = wanted.first <= other->last && other->first <= wanted.last;
    if (same_time && offset + wanted.bytes > other->offset && offset < other->offset + other->bytes)
      offset = other->offset + other->bytes;
  }
  return offset;
}

}  // namespace whorl::nn::cpu
