// SPDX-License-Identifier: BSD-3-Clause
#include "train/muon.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace whorl::train {
namespace {

using Matrix = std::vector<double>;

/// Row-major (m, k) times (k, n).
Matrix multiply(const Matrix& left, const Matrix& right, int m, int k, int n) {
  Matrix product(std::size_t(m) * n, 0.0);
  for (int i = 0; i < m; ++i)
    for (int l = 0; l < k; ++l)
      for (int j = 0; j < n; ++j) product[i * n + j] += left[i * k + l] * right[l * n + j];
  return product;
}

Matrix transpose(const Matrix& matrix, int rows, int columns) {
  Matrix transposed(matrix.size());
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) transposed[j * rows + i] = matrix[i * columns + j];
  return transposed;
}

/// The iteration as published, in double: X / ||X||, then X <- a X + (b A + c A A) X with A = X X^T.
Matrix newton_schulz(Matrix x, int rows, int columns, int iterations) {
  if (rows > columns)
    return transpose(newton_schulz(transpose(x, rows, columns), columns, rows, iterations), columns, rows);
  double squares = 0;
  for (const double value : x) squares += value * value;
  for (double& value : x) value /= std::sqrt(squares) + 1e-7;
  for (int iteration = 0; iteration < iterations; ++iteration) {
    const Matrix gram = multiply(x, transpose(x, rows, columns), rows, columns, rows);
    Matrix polynomial = multiply(gram, gram, rows, rows, rows);
    for (std::size_t i = 0; i < gram.size(); ++i) polynomial[i] = -4.7750 * gram[i] + 2.0315 * polynomial[i];
    const Matrix change = multiply(polynomial, x, rows, rows, columns);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = 3.4445 * x[i] + change[i];
  }
  return x;
}

/// Multiples of 1/64 in [-50/64, 50/64].
std::vector<float> test_matrix(int rows, int columns) {
  std::vector<float> values(std::size_t(rows) * columns);
  for (std::size_t k = 0; k < values.size(); ++k)
    values[k] = (static_cast<float>((k * 37 + k / 101 * k) % 101) - 50) / 64;
  return values;
}

std::vector<float> orthogonalised(const std::vector<float>& matrix, int rows, int columns, int iterations) {
  Orthogonaliser orthogonaliser(rows, columns, iterations);
  std::copy(matrix.begin(), matrix.end(), orthogonaliser.matrix().begin());
  orthogonaliser.run();
  return {orthogonaliser.matrix().begin(), orthogonaliser.matrix().end()};
}

void expect_near(const std::vector<float>& values, const Matrix& expected, double tolerance) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_NEAR(values[i], expected[i], tolerance) << "element " << i;
}

// From zeropower_via_newtonschulz5 of KellerJordan/cifar10-airbench, run by PyTorch 2 with float64 in place
// of bfloat16 on test_matrix.
TEST(Orthogonaliser, AgreesWithAirbench) {
  const std::vector<float> matrix = test_matrix(3, 4);
  expect_near(orthogonalised(matrix, 3, 4, 3),
              {-0.6287820196062603, -0.10901821496345365, 0.27510431719445505, -0.659458107332062,
               -0.04151254219861372, 0.7517386488145223, -0.6206283729707104, -0.19756116897146114,
               0.5551053431549495, -0.17125140556135415, 0.17010748567847528, -0.7907919775668169},
              2e-6);
  expect_near(orthogonalised(matrix, 3, 4, 5),
              {-0.6040930186872495, -0.07778660047570085, 0.2435869647231666, -0.6539966705244666,
               -0.040372442874308315, 0.7969616024145767, -0.6492052392219563, -0.2801188358380672,
               0.5325528307072331, -0.1288399010335959, 0.13631980632387908, -0.7883877143092639},
              2e-6);
  expect_near(orthogonalised(matrix, 4, 3, 3),
              {-0.6178075089848016, -0.5650261980450293, 0.05806367870537772, -0.4232760084182513,
               0.015483823103878885, 0.3091263878728272, -0.2287445078517008, 0.5959938442527877,
               0.5601890970402768, -0.4181090402939436, 0.4579940624207235, -0.6220757203937488},
              2e-6);
}

// Across the restarts after every three iterations, wide, tall and square.
TEST(Orthogonaliser, AgreesWithThePublishedIteration) {
  for (const auto& [rows, columns] : {std::pair{24, 216}, std::pair{216, 24}, std::pair{48, 48}}) {
    const std::vector<float> matrix = test_matrix(rows, columns);
    for (const int iterations : {1, 2, 3, 4, 5, 7}) {
      SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(columns) + ", " +
                   std::to_string(iterations) + " iterations");
      expect_near(orthogonalised(matrix, rows, columns, iterations),
                  newton_schulz({matrix.begin(), matrix.end()}, rows, columns, iterations), 1e-5);
    }
  }
}

// A matrix of rank one has singular values that are exactly zero, and rounding must not make them grow.
TEST(Orthogonaliser, KeepsZeroSingularValues) {
  std::vector<float> matrix(16 * 40);
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 40; ++j) matrix[i * 40 + j] = static_cast<float>((i + 1) * (j % 7 - 3));
  expect_near(orthogonalised(matrix, 16, 40, 5), newton_schulz({matrix.begin(), matrix.end()}, 16, 40, 5),
              1e-5);
}

TEST(Orthogonaliser, LeavesZeroAlone) {
  EXPECT_EQ(orthogonalised(std::vector<float>(6), 2, 3, 3), std::vector<float>(6));
}

TEST(Norm, CountsEveryElement) {
  for (const std::size_t count : {1, 15, 16, 17, 100}) {
    std::vector<float> values(count, 0.0F);
    values.back() = -4;
    values.front() = count == 1 ? -4.0F : 3.0F;
    EXPECT_EQ(norm(values), count == 1 ? 4 : 5) << count;
  }
}

}  // namespace
}  // namespace whorl::train
