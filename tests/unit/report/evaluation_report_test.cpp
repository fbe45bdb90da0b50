// SPDX-License-Identifier: BSD-3-Clause
#include "report/evaluation_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whorl::report {
namespace {

const train::Evaluation three_classes{
    .classes = 3, .samples = 120, .loss = 0.625, .confusion = {50, 7, 3, 11, 19, 30, 0, 0, 0}};
const std::vector<std::string> names{"rose", "dandelion", "tulip"};

TEST(EvaluationText, ShowsEveryClassAndTheMatrix) {
  const std::string text = evaluation_text(three_classes, names);
  EXPECT_NE(text.find("top-1 57.50 % (69 of 120 pictures), loss 0.6250"), std::string::npos) << text;
  EXPECT_NE(text.find("  0  rose        83.33 %       50 of 60"), std::string::npos) << text;
  EXPECT_NE(text.find("  1  dandelion   31.67 %       19 of 60"), std::string::npos) << text;
  EXPECT_NE(text.find("  2  tulip             -        0 of 0"), std::string::npos) << text;
  EXPECT_NE(text.find("  1    11  19  30"), std::string::npos) << text;
}

TEST(EvaluationText, LeavesTheMatrixOfManyClassesToJson) {
  train::Evaluation many{
      .classes = 26, .samples = 1, .loss = 0, .confusion = std::vector<std::int64_t>(26 * 26)};
  many.confusion[0] = 1;
  const std::string text = evaluation_text(many, std::vector<std::string>(26, "class"));
  EXPECT_EQ(text.find("confusion:"), std::string::npos) << text;
  EXPECT_NE(text.find("--json"), std::string::npos) << text;
}

TEST(EvaluationJson, HoldsTheSameFigures) {
  const auto json = nlohmann::json::parse(evaluation_json(three_classes, names));
  EXPECT_EQ(json["top1"], 0.575);
  EXPECT_EQ(json["samples"], 120);
  EXPECT_EQ(json["correct"], 69);
  EXPECT_EQ(json["classes"][1]["name"], "dandelion");
  EXPECT_EQ(json["classes"][1]["samples"], 60);
  EXPECT_EQ(json["classes"][1]["correct"], 19);
  EXPECT_EQ(json["confusion"][1][0], 11);
  EXPECT_EQ(json["confusion"][0][1], 7);
}

}  // namespace
}  // namespace whorl::report
