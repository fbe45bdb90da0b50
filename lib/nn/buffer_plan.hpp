// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

namespace whorl::nn {

/// Places buffers that are needed at different times of a training step at the same offset of one memory.
/// Times are the numbers of the passes, in the order in which they run.
class BufferPlan {
 public:
  /// A buffer that holds its content from pass `first` to pass `last`, both included. Returns its number.
  int reserve(std::size_t bytes, int first, int last);
  /// Largest buffer first, each at the lowest offset that is free during its whole time: O(buffers^2).
  void place();
  /// Of buffer `number`, once placed: a multiple of 4096.
  std::size_t offset(int number) const { return reservations_[number].offset; }
  /// Of the memory that holds all.
  std::size_t bytes() const { return bytes_; }

 private:
  struct Reservation {
    std::size_t bytes, offset;
    int first, last;
  };
  std::size_t lowest_free_offset(const Reservation& wanted,
                                 const std::vector<const Reservation*>& placed) const;
  std::vector<Reservation> reservations_;
  std::size_t bytes_ = 0;
};

}  // namespace whorl::nn
