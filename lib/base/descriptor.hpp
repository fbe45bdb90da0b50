// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <unistd.h>

#include "base/unique_handle.hpp"

namespace whorl {

struct DescriptorTraits {
  static int invalid() { return -1; }
  static void release(int descriptor) noexcept { ::close(descriptor); }
};
/// An open file, folder or socket.
using Descriptor = UniqueHandle<int, DescriptorTraits>;

}  // namespace whorl
