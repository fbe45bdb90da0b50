// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>

namespace whorl {

/// The candidate that `text` is most likely a typing error of: the smallest number of inserted, deleted,
/// replaced or swapped characters (first of equals), or "" if even that changes more than a third of the
/// text.
std::string nearest(const std::string& text, std::span<const std::string> candidates);

}  // namespace whorl
