// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace whorl::train {

/// Brings all singular values of a row-major matrix near 1 (0.7 to 1.2 for those that were not tiny) by
/// Newton-Schulz iterations on matrix / (||matrix||_F + 1e-7), with the quintic of Jordan's Muon (2024): X <-
/// a X + (b A + c A A) X, A = X X^T. In float32.
class Orthogonaliser {
 public:
  Orthogonaliser(int rows, int columns, int iterations);
  /// The matrix to replace, (rows, columns): write it here, call run(), read the result here.
  std::span<float> matrix() { return matrix_; }
  /// Runs on the calling thread alone if that is inside an OpenMP parallel region; the same bits for the same
  /// matrix.
  void run();

 private:
  void make_gram();
  void multiply_small(const std::vector<float>& left, const std::vector<float>& right,
                      std::vector<float>& product) const;
  void apply_to_matrix(const std::vector<float>& polynomial);

  int rows_, columns_, side_, iterations_;
  std::vector<float> matrix_, product_;                     // (rows, columns)
  std::vector<float> gram_, square_, factor_, polynomial_;  // (side, side), side = min(rows, columns)
};

/// Euclidean norm, summed in double in a fixed order.
double norm(std::span<const float> values);

}  // namespace whorl::train
