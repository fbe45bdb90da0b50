// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/memory_plan.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "base/progress.hpp"

namespace whorl::nn::cpu {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t alignment = 4096;

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

HugeBuffer::HugeBuffer(std::size_t bytes) : bytes_(round_up(std::max<std::size_t>(bytes, 1), alignment)) {
  const std::size_t allocated = round_up(bytes_, bytes_ < huge_page ? alignment : huge_page);
  const std::size_t boundary = std::min(allocated, huge_page) == huge_page ? huge_page : alignment;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(boundary, allocated)));
  require(
      data_ != nullptr,
      "out of memory: a rank needs {} at once; a smaller train.shard, or fewer ranks on a node, leave more",
      format_bytes(static_cast<double>(allocated)));
  // Only advice: where the kernel declines, the same memory comes in small pages.
  if (boundary == huge_page) (void)madvise(data_.get(), allocated, MADV_HUGEPAGE);
  std::memset(data_.get(), 0, allocated);
}

}  // namespace whorl::nn::cpu
