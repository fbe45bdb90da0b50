// SPDX-License-Identifier: BSD-3-Clause
#include "train/symmetric_eigen.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace whorl::train {

namespace {

/// Turns the plane of columns p and q by the angle with this sine and cosine.
void rotate_columns(std::vector<double>& matrix, std::size_t size, std::size_t p, std::size_t q,
                    double cosine, double sine) {
  for (std::size_t row = 0; row < size; ++row) {
    const double left = matrix[row * size + p];
    const double right = matrix[row * size + q];
    matrix[row * size + p] = cosine * left - sine * right;
    matrix[row * size + q] = sine * left + cosine * right;
  }
}

void rotate_rows(std::vector<double>& matrix, std::size_t size, std::size_t p, std::size_t q, double cosine,
                 double sine) {
  for (std::size_t column = 0; column < size; ++column) {
    const double upper = matrix[p * size + column];
    const double lower = matrix[q * size + column];
    matrix[p * size + column] = cosine * upper - sine * lower;
    matrix[q * size + column] = sine * upper + cosine * lower;
  }
}

/// One rotation for every pair (p, q), chosen so that the element (p, q) becomes zero. False if all were
/// negligible.
bool sweep(std::vector<double>& matrix, std::vector<double>& vectors, std::size_t size) {
  bool rotated = false;
  for (std::size_t p = 0; p < size; ++p) {
    for (std::size_t q = p + 1; q < size; ++q) {
      const double here = matrix[p * size + q];
      const double diagonal = std::abs(matrix[p * size + p]) + std::abs(matrix[q * size + q]);
      if (std::abs(here) <= std::numeric_limits<double>::epsilon() * 0x1p-4 * diagonal) continue;
      rotated = true;
      const double cotangent =
          (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * here);  // of twice the angle
      const double tangent =
          std::copysign(1.0, cotangent) / (std::abs(cotangent) + std::hypot(1.0, cotangent));
      const double cosine = 1.0 / std::hypot(1.0, tangent);
      const double sine = tangent * cosine;
      rotate_columns(matrix, size, p, q, cosine, sine);
      rotate_rows(matrix, size, p, q, cosine, sine);
      rotate_columns(vectors, size, p, q, cosine, sine);
    }
  }
  return rotated;
}

}  // namespace

std::vector<Eigenpair> symmetric_eigenpairs(std::vector<double> matrix, int side) {
  const auto size = static_cast<std::size_t>(side);
  std::vector<double> vectors(size * size, 0.0);  // columns
  for (std::size_t i = 0; i < size; ++i) vectors[i * size + i] = 1.0;
  constexpr int most_sweeps = 60;
  int sweeps = 0;
  while (sweep(matrix, vectors, size))
    require(++sweeps < most_sweeps, "the eigenvalues of a {0} x {0} matrix do not converge", size);
  std::vector<Eigenpair> pairs(size);
  for (std::size_t i = 0; i < size; ++i) {
    pairs[i].value = matrix[i * size + i];
    for (std::size_t row = 0; row < size; ++row) pairs[i].vector.push_back(vectors[row * size + i]);
    const double largest = *std::max_element(pairs[i].vector.begin(), pairs[i].vector.end(),
                                             [](double a, double b) { return std::abs(a) < std::abs(b); });
    for (double& component : pairs[i].vector) component = std::copysign(component, component * largest);
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Eigenpair& a, const Eigenpair& b) { return a.value > b.value; });
  return pairs;
}

}  // namespace whorl::train
