// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace whorl::ingest {

/// The values of one Python pickle (protocols 0 to 5), as far as the Python version of CIFAR-10 uses them:
/// None, booleans, 64-bit integers, strings, lists, tuples, dictionaries and NumPy arrays of uint8. It is
/// data only: nothing is imported or called. The few functions that NumPy's pickles name are recognised and
/// done here; any other is refused by name.
class Pickle {
 public:
  enum class Kind { none, integer, text, list, tuple, dict, array, type, function, mark };
  struct Value {
    Kind kind = Kind::none;
    std::int64_t integer = 0;
    std::string_view text;  ///< bytes of a string, contents of an array, name of a function; in `bytes` where
                            ///< stored verbatim
    std::vector<const Value*> parts;  ///< elements; a dictionary's keys and values in turns; an array's shape
  };

  /// `bytes` must outlive the pickle. Throws Error naming the byte at which it is damaged or goes beyond the
  /// subset.
  explicit Pickle(std::span<const std::uint8_t> bytes);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const Value& root() const { return *root_; }
  /// The dictionary's value for a text key, or null.
  static const Value* find(const Value& dict, std::string_view key);

 private:
  class Machine;
  // Values live here rather than in each other, so that deep nesting and cycles cost no recursion.
  std::deque<Value> values_;
  std::deque<std::string> recoded_;  // texts that are not stored verbatim
  const Value* root_ = nullptr;
};

}  // namespace whorl::ingest
