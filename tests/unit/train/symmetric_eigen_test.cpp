// SPDX-License-Identifier: BSD-3-Clause
#include "train/symmetric_eigen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace whorl::train {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

constexpr double rounding = 1e-14;

TEST(SymmetricEigenpairs, SortsADiagonal) {
  const auto pairs = symmetric_eigenpairs({2, 0, 0, 0, 5, 0, 0, 0, -3}, 3);
  EXPECT_EQ(pairs[0].value, 5);
  EXPECT_THAT(pairs[0].vector, ElementsAre(0, 1, 0));
  EXPECT_EQ(pairs[1].value, 2);
  EXPECT_EQ(pairs[2].value, -3);
  EXPECT_THAT(pairs[2].vector, ElementsAre(0, 0, 1));
}

// [[2, 1], [1, 2]] by hand: 3 along (1, 1), 1 along (1, -1).
TEST(SymmetricEigenpairs, SolvesByHand) {
  const auto pairs = symmetric_eigenpairs({2, 1, 1, 2}, 2);
  const double half = std::sqrt(0.5);
  EXPECT_NEAR(pairs[0].value, 3, rounding);
  EXPECT_THAT(pairs[0].vector, ElementsAre(DoubleNear(half, rounding), DoubleNear(half, rounding)));
  EXPECT_NEAR(pairs[1].value, 1, rounding);
  EXPECT_NEAR(std::abs(pairs[1].vector[0]), half, rounding);
  EXPECT_NEAR(pairs[1].vector[0], -pairs[1].vector[1], rounding);
}

// The second difference matrix has the eigenvalues 2 - 2 cos(k pi / (n + 1)), k = 1..n.
TEST(SymmetricEigenpairs, SolvesTheSecondDifference) {
  constexpr int size = 12;
  std::vector<double> matrix(size * size, 0.0);
  for (int i = 0; i < size; ++i) {
    matrix[i * size + i] = 2;
    if (i > 0) matrix[i * size + i - 1] = matrix[(i - 1) * size + i] = -1;
  }
  const auto pairs = symmetric_eigenpairs(matrix, size);
  for (int k = 0; k < size; ++k) {
    EXPECT_NEAR(pairs[k].value, 2 - 2 * std::cos((size - k) * std::acos(-1.0) / (size + 1)), rounding);
    double squares = 0;
    for (int row = 0; row < size; ++row) {
      double product = 0;
      for (int column = 0; column < size; ++column)
        product += matrix[row * size + column] * pairs[k].vector[column];
      EXPECT_NEAR(product, pairs[k].value * pairs[k].vector[row], rounding);
      squares += pairs[k].vector[row] * pairs[k].vector[row];
    }
    EXPECT_NEAR(squares, 1, rounding);
  }
}

TEST(SymmetricEigenpairs, MakesTheLargestComponentPositive) {
  for (const double off_diagonal : {0.5, -0.5}) {
    for (const Eigenpair& pair : symmetric_eigenpairs({1, off_diagonal, off_diagonal, 4}, 2)) {
      const bool first_larger = std::abs(pair.vector[0]) > std::abs(pair.vector[1]);
      EXPECT_GT(pair.vector[first_larger ? 0 : 1], 0);
    }
  }
}

TEST(SymmetricEigenpairs, TakesZeroAndTinyMatrices) {
  EXPECT_EQ(symmetric_eigenpairs({0, 0, 0, 0}, 2)[1].value, 0);
  const auto pairs = symmetric_eigenpairs({2e-200, 1e-200, 1e-200, 2e-200}, 2);
  EXPECT_NEAR(pairs[0].value, 3e-200, 1e-213);
}

}  // namespace
}  // namespace whorl::train
