// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace whorl::collective {

/// What can be summed. Sums of int64 do not depend on the order of their terms.
enum class Element { float32, int64 };
/// In bytes.
constexpr std::size_t size_of(Element element) {
  return element == Element::float32 ? sizeof(float) : sizeof(std::int64_t);
}
const char* to_string(Element element);

/// A view of numbers in memory that may be written. The algorithms move it as bytes and look at the type of
/// its elements only to add.
class Values {
 public:
  Values() = default;
  // NOLINTBEGIN(google-explicit-constructor): a span of numbers is one
  Values(std::span<float> data)
      : Values(Element::float32, std::as_writable_bytes(data).data(), data.size()) {}
  Values(std::span<std::int64_t> data)
      : Values(Element::int64, std::as_writable_bytes(data).data(), data.size()) {}
  // NOLINTEND(google-explicit-constructor)
  Values(Element element, std::byte* data, std::size_t count)
      : data_(data), count_(count), element_(element) {}

  Element element() const { return element_; }
  std::byte* data() const { return data_; }
  /// In elements.
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::size_t size_bytes() const { return count_ * size_of(element_); }
  std::span<std::byte> bytes() const { return {data_, size_bytes()}; }
  /// Elements [begin, begin + count).
  Values subspan(std::size_t begin, std::size_t count) const {
    return {element_, data_ + begin * size_of(element_), count};
  }
  /// The `index`-th of `parts` contiguous parts, as of block_range().
  Values part(int parts, int index) const;

 private:
  std::byte* data_ = nullptr;
  std::size_t count_ = 0;
  Element element_ = Element::float32;
};

/// into[i] += from[i]. Both have one type and length and do not overlap. Sums of int64 wrap around.
void add(Values into, Values from);
/// a[i] = b[i] = a[i] + b[i]; the same holds.
void add_into_both(Values a, Values b);

}  // namespace whorl::collective
