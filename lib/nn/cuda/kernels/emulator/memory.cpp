// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/emulator/memory.hpp"

#include <map>

#include "base/error.hpp"

namespace whorl::nn::cuda::emulator {

namespace {

/// By the address of the first byte.
std::map<const std::byte*, Registration*>& arrays() {
  static std::map<const std::byte*, Registration*> all;
  return all;
}

}  // namespace

Registration::Registration(const void* begin, std::size_t elements, std::size_t element_bytes)
    : begin_(static_cast<const std::byte*>(begin)),
      elements_(elements),
      element_bytes_(element_bytes),
      last_writers_(elements) {
  arrays()[begin_] = this;
}

Registration::~Registration() {
  arrays().erase(begin_);
}

Region region_of(const void* pointer, std::size_t element_bytes) {
  const auto* address = static_cast<const std::byte*>(pointer);
  auto next = arrays().upper_bound(address);
  require(next != arrays().begin(), "a kernel is given a pointer that is not the emulated GPU's");
  Registration& array = *std::prev(next)->second;
  const auto offset = static_cast<std::size_t>(address - array.begin_);
  require(offset < array.elements_ * array.element_bytes_,
          "a kernel is given a pointer behind the end of an array");
  require(array.element_bytes_ == element_bytes && offset % element_bytes == 0,
          "a kernel takes an array with elements of {} bytes for one of {} bytes", array.element_bytes_,
          element_bytes);
  const std::size_t first = offset / element_bytes;
  return {static_cast<std::int64_t>(array.elements_ - first), array.last_writers_.data() + first};
}

}  // namespace whorl::nn::cuda::emulator
