// SPDX-License-Identifier: BSD-3-Clause
#include "train/divergence.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace whorl::train {
namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

class WhereNotFinite : public testing::Test {
 protected:
  const nn::Tensor& tensor(nn::Role role, std::size_t skip) const {
    for (const nn::Tensor& candidate : network_.parameters.tensors()) {
      if (candidate.role == role && skip-- == 0) return candidate;
    }
    throw std::out_of_range("no such tensor");
  }
  std::string name(const nn::Tensor& of) const {
    return network_.layers[static_cast<std::size_t>(of.layer)].name;
  }
  void spoil(const nn::Tensor& of, float value) { gradients_[of.offset + of.count - 1] = value; }

  const nn::Network network_ = nn::make_network("petal", 16, 3, {});
  std::vector<float> gradients_ = std::vector<float>(network_.parameters.size(), 0.5F);
};

TEST_F(WhereNotFinite, IsNowhereWhileAllIsFinite) {
  EXPECT_EQ(where_not_finite(network_, 1e30, gradients_), "");
}

TEST_F(WhereNotFinite, FindsTheFirstLayerOfTheForwardPass) {
  const nn::Tensor& late = tensor(nn::Role::running_variance, 0);
  const nn::Tensor& early = tensor(nn::Role::running_variance, 2);
  ASSERT_LT(early.layer, late.layer);
  spoil(late, not_a_number);
  EXPECT_EQ(where_not_finite(network_, 1, gradients_),
            "the forward pass, in " + name(late) + " or before it");
  spoil(early, infinity);
  EXPECT_EQ(where_not_finite(network_, not_a_number, gradients_),
            "the forward pass, in " + name(early) + " or before it");
}

TEST_F(WhereNotFinite, IsBehindTheLastStatisticsWhereOnlyTheLossIsNot) {
  EXPECT_EQ(where_not_finite(network_, infinity, gradients_),
            "the forward pass, behind " + name(tensor(nn::Role::running_variance, 0)));
}

TEST_F(WhereNotFinite, FindsTheFirstLayerOfTheBackwardPass) {
  const nn::Tensor& late = tensor(nn::Role::conv_weight, 0);
  const nn::Tensor& early = tensor(nn::Role::conv_weight, 2);
  ASSERT_LT(early.layer, late.layer);
  spoil(early, -infinity);
  EXPECT_EQ(where_not_finite(network_, 1, gradients_), "the backward pass, in " + name(early));
  spoil(late, not_a_number);
  EXPECT_EQ(where_not_finite(network_, 1, gradients_), "the backward pass, in " + name(late));
}

}  // namespace
}  // namespace whorl::train
