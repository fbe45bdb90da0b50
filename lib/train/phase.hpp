// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace whorl::train {

/// Where a rank's time goes. read, augment and all_reduce_hidden run beside the others; the rest add up to
/// the wall clock.
namespace phase {
enum Index : std::size_t {
  read,
  augment,
  input_wait,
  forward,
  backward,
  all_reduce_exposed,
  all_reduce_hidden,
  optimizer,
  evaluate,
  other
};
std::vector<std::string> names();
}  // namespace phase

}  // namespace whorl::train
