// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>

namespace whorl::nn::cpu::winograd {

/// Memory that will be needed soon. A multiplication asks for one cache line of it in every step of its inner
/// loop: in bursts between the multiplications the same requests gain nothing.
class PrefetchQueue {
 public:
  void clear() { count_ = 0; }
  void add(const void* data, std::size_t bytes) {
    if (count_ < ranges_.size() && bytes > 0)
      ranges_[count_++] = {static_cast<const char*>(data), (bytes + line - 1) / line};
  }
  /// Takes up to `lines` lines; they begin at `first` and lie `step` bytes apart.
  struct Lines {
    const char* first;
    std::size_t step;
  };
  Lines take(std::size_t lines) {
    if (count_ == 0) return {reinterpret_cast<const char*>(this), 0};
    Range& range = ranges_[count_ - 1];
    const Lines taken{range.next, line};
    range.next += lines * line;
    if (range.lines <= lines)
      --count_;
    else
      range.lines -= lines;
    return taken;
  }

 private:
  static constexpr std::size_t line = 64;
  struct Range {
    const char* next;
    std::size_t lines;
  };
  std::array<Range, 6> ranges_{};
  std::size_t count_ = 0;
};

/// A row-major matrix.
struct ConstMatrix {
  const float* data = nullptr;
  std::size_t stride = 0;  ///< floats from one row to the next
};

/// Columns of a panel: as many as the registers of this machine take at a time. A matrix in panels holds its
/// columns panel by panel, each of them [row][column], the last one narrower if need be.
int panel_columns();

struct GemmShape {
  int rows = 0, columns = 0, depth = 0;
};

/// c (+)= a b, with a (rows, depth), b (depth, columns) in panels and c (rows, columns): for i, j: c[i][j] =
/// sum_k a[i][k] b[k][j], in 2 rows columns depth FLOP. Columns are a multiple of a block. `add`: onto what c
/// holds.
void multiply_by_panels(const GemmShape& shape, ConstMatrix a, const float* b, float* c, std::size_t c_stride,
                        bool add, PrefetchQueue& prefetch);

/// c (+)= a^T b, with a (depth, rows), b (depth, columns), both row-major.
void multiply_transposed(const GemmShape& shape, ConstMatrix a, ConstMatrix b, float* c, std::size_t c_stride,
                         bool add, PrefetchQueue& prefetch);

}  // namespace whorl::nn::cpu::winograd
