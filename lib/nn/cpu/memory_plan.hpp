// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

namespace whorl::nn::cpu {

/// Zeroed memory at a 2 MiB boundary, on huge pages where the system gives them: passes over whole
/// activations then cost few address translations.
class HugeBuffer {
 public:
  HugeBuffer() = default;
  explicit HugeBuffer(std::size_t bytes);
  std::byte* data() const { return data_.get(); }
  float* floats() const { return reinterpret_cast<float*>(data_.get()); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte[], Free> data_;
  std::size_t bytes_ = 0;
};

/// Places buffers that are needed at different times of a training step at the same address. Times are the
/// numbers of the passes, in the order in which they run.
class MemoryPlan {
 public:
  /// A buffer that holds its content from pass `first` to pass `last`, both included. Returns its number.
  int reserve(std::size_t bytes, int first, int last);
  /// Largest buffer first, each at the lowest address that is free during its whole time: O(buffers^2).
  void allocate();
  /// Of buffer `number`, once allocated.
  std::byte* at(int number) const { return memory_.data() + reservations_[number].offset; }
  float* floats(int number) const { return reinterpret_cast<float*>(at(number)); }
  std::size_t bytes() const { return memory_.bytes(); }

 private:
  struct Reservation {
    std::size_t bytes, offset;
    int first, last;
  };
  std::size_t lowest_free_offset(const Reservation& wanted,
                                 const std::vector<const Reservation*>& placed) const;
  std::vector<Reservation> reservations_;
  HugeBuffer memory_;
};

}  // namespace whorl::nn::cpu
