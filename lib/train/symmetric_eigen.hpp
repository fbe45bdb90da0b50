// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

namespace whorl::train {

struct Eigenpair {
  double value = 0;
  std::vector<double>
      vector;  ///< length 1; its component of largest magnitude (the first of them) is positive
};

/// Eigenpairs of a symmetric matrix, shape (size, size), by descending value. Cyclic Jacobi rotations (Golub
/// & Van Loan, "Matrix Computations", section 8.5): a sweep costs about 6 size^3 multiply-adds and some ten
/// sweeps reach double precision, so for small matrices only. The same matrix gives the same bits.
std::vector<Eigenpair> symmetric_eigenpairs(std::vector<double> matrix, int size);

}  // namespace whorl::train
