// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "report/run_record.hpp"
#include "support/thrown_message.hpp"

namespace whorl::report {
namespace {

using testing::HasSubstr;

const std::string whole = R"({"starts":[{"ranks":2}],"metrics":["1,2"],"phases":[],"train_loss":0.5})";

std::string refusal(const std::string& state) {
  return test::thrown_message<Error>([&] { history_of(state, "step.h5"); });
}

TEST(History, IsTakenAsItIs) {
  EXPECT_EQ(history_of(whole, "step.h5").dump(), whole);
  EXPECT_EQ(history_of(history_of("", "step.h5").dump(), "step.h5"), history_of("", "step.h5"));
}

TEST(History, OfOtherTypesIsRefused) {
  for (const auto& [part, other] : {std::pair{"[{\"ranks\":2}]", "7"},
                                    {"[\"1,2\"]", "[1]"},
                                    {"[\"1,2\"]", "null"},
                                    {"\"phases\":[]", "\"phase\":[]"},
                                    {"0.5", "\"0.5\""}}) {
    std::string changed = whole;
    changed.replace(changed.find(part), std::string_view(part).size(), other);
    EXPECT_EQ(refusal(changed), "step.h5 is damaged: its record is not that of a run") << changed;
  }
  EXPECT_EQ(refusal("[]"), "step.h5 is damaged: its record is not that of a run");
  EXPECT_THAT(refusal(whole.substr(1)), HasSubstr("step.h5 is damaged"));
}

// Writing such a one down again would use up the stack.
TEST(History, NestedDeeplyIsRefused) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_EQ(refusal(deep), "step.h5 is nested deeper than the limit of 32 levels");
}

}  // namespace
}  // namespace whorl::report
