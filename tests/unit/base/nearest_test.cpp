// SPDX-License-Identifier: BSD-3-Clause
#include "base/nearest.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace whorl {
namespace {

const std::vector<std::string> candidates = {"--input", "--output", "--size", "--seed", "--test-fraction"};

TEST(Nearest, FindsWhatATypingErrorMeant) {
  EXPECT_EQ(nearest("--inputt", candidates), "--input");  // inserted
  EXPECT_EQ(nearest("--outpt", candidates), "--output");  // deleted
  EXPECT_EQ(nearest("--sige", candidates), "--size");     // replaced
  EXPECT_EQ(nearest("--sede", candidates), "--seed");     // swapped
  EXPECT_EQ(nearest("--test_fracton", candidates), "--test-fraction");
  EXPECT_EQ(nearest("--size", candidates), "--size");
}

TEST(Nearest, FindsNothingFarAway) {
  EXPECT_EQ(nearest("--verbose", candidates), "");
  EXPECT_EQ(nearest("", candidates), "");
  EXPECT_EQ(nearest("--input", {}), "");
}

TEST(Nearest, ASwapIsOneChange) {
  // "bacd" is one swap from "abcd", but a replaced and an inserted letter from "xacdd".
  EXPECT_EQ(nearest("bacd", std::vector<std::string>{"xacdd", "abcd"}), "abcd");
  EXPECT_EQ(nearest("abc", std::vector<std::string>{"acb"}), "acb");  // 3 letters allow one change
}

TEST(Nearest, TheFirstOfEqualsWins) {
  EXPECT_EQ(nearest("cat", std::vector<std::string>{"bat", "hat"}), "bat");
}

}  // namespace
}  // namespace whorl
