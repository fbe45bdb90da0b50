// SPDX-License-Identifier: BSD-3-Clause
#include "nn/buffer_plan.hpp"

#include <algorithm>

namespace whorl::nn {

namespace {

constexpr std::size_t alignment = 4096;

}  // namespace

int BufferPlan::reserve(std::size_t bytes, int first, int last) {
  reservations_.push_back({(bytes + alignment - 1) / alignment * alignment, 0, first, last});
  return static_cast<int>(reservations_.size()) - 1;
}

void BufferPlan::place() {
  std::vector<Reservation*> by_size;
  for (Reservation& reservation : reservations_) by_size.push_back(&reservation);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [](const Reservation* a, const Reservation* b) { return a->bytes > b->bytes; });
  std::vector<const Reservation*> placed;
  for (Reservation* reservation : by_size) {
    reservation->offset = lowest_free_offset(*reservation, placed);
    bytes_ = std::max(bytes_, reservation->offset + reservation->bytes);
    placed.push_back(reservation);
    std::sort(placed.begin(), placed.end(),
              [](const Reservation* a, const Reservation* b) { return a->offset < b->offset; });
  }
}

std::size_t BufferPlan::lowest_free_offset(const Reservation& wanted,
                                           const std::vector<const Reservation*>& placed) const {
  std::size_t offset = 0;
  for (const Reservation* other : placed) {  // by rising offset
    const bool same_time = wanted.first <= other->last && other->first <= wanted.last;
    if (same_time && offset + wanted.bytes > other->offset && offset < other->offset + other->bytes)
      offset = other->offset + other->bytes;
  }
  return offset;
}

}  // namespace whorl::nn
