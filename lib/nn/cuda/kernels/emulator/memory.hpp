// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// The memory of an emulated GPU: a registry of arrays, so that a kernel's access through any pointer can be
/// checked.
namespace whorl::nn::cuda::emulator {

/// What is known about the memory behind a pointer.
struct Region {
  std::int64_t elements = 0;    ///< from the pointer to the end of its array
  int* last_writers = nullptr;  ///< for each element the launch that has written it last, 0: none
};

/// Throws Error when `pointer` is not the start of an element of `element_bytes` in a registered array.
Region region_of(const void* pointer, std::size_t element_bytes);

/// Registers an array as long as it lives.
class Registration {
 public:
  Registration(const void* begin, std::size_t elements, std::size_t element_bytes);
  ~Registration();
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  const std::vector<int>& last_writers() const { return last_writers_; }

 private:
  friend Region region_of(const void*, std::size_t);
  const std::byte* begin_;
  std::size_t elements_, element_bytes_;
  std::vector<int> last_writers_;
};

}  // namespace whorl::nn::cuda::emulator
