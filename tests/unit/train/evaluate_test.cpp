// SPDX-License-Identifier: BSD-3-Clause
#include "train/evaluate.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/thrown_message.hpp"

namespace whorl::train {
namespace {

TEST(Views, WeightsOfEachKindSumToOne) {
  for (const std::string& tta : tta_names()) {
    float sum = 0;
    for (const View& view : views_of(tta)) sum += view.weight;
    EXPECT_EQ(sum, 1.0F) << tta;
  }
}

TEST(Views, AirbenchIsHalfCentreHalfShifted) {
  const std::vector<View> views = views_of("airbench");
  ASSERT_EQ(views.size(), 6U);
  float centre = 0, mirrored = 0;
  for (const View& view : views) {
    EXPECT_EQ(view.dy, view.dx);
    if (view.dy == 0) centre += view.weight;
    if (view.mirror) mirrored += view.weight;
  }
  EXPECT_EQ(centre, 0.5F);
  EXPECT_EQ(mirrored, 0.5F);
}

TEST(Views, AnUnknownNameListsTheKnown) {
  const std::string message = test::thrown_message<UsageError>([] { views_of("flip"); });
  EXPECT_NE(message.find("none, mirror, airbench"), std::string::npos) << message;
}

TEST(Evaluation, Top1IsTheDiagonalOfTheConfusionMatrix) {
  const Evaluation evaluation{
      .classes = 3, .samples = 20, .loss = 0, .confusion = {5, 1, 0, 2, 6, 0, 0, 1, 5}};
  EXPECT_EQ(evaluation.correct(), 16);
  EXPECT_EQ(evaluation.top1(), 0.8);
  EXPECT_EQ(Evaluation{}.top1(), 0.0);
}

}  // namespace
}  // namespace whorl::train
