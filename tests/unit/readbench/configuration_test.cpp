// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/configuration.hpp"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "base/error.hpp"

namespace whorl::readbench {
namespace {

auto key(const Configuration& c) {
  return std::tuple(c.source, c.batch, c.batches, c.order, c.cache, c.decode, c.prefetch);
}

TEST(PlanTurns, RunsEveryCombinationOnceAReplicateInRandomOrder) {
  Study study{.sources = {{"folder", "a"}, {"pixels", "b"}}};
  study.prefetch = {0, 3};
  const auto turns = plan_turns(study);
  const std::size_t combinations = 2 * 4 * 3 * 2 * 2 * 2 * 2;
  ASSERT_EQ(turns.size(), combinations * 3);
  int same_place = 0, source_changes = 0;
  for (std::size_t repeat = 0; repeat < 3; ++repeat) {
    std::set<decltype(key(turns[0].configuration))> seen;
    for (std::size_t i = repeat * combinations; i < (repeat + 1) * combinations; ++i) {
      EXPECT_EQ(turns[i].repeat, static_cast<int>(repeat));
      seen.insert(key(turns[i].configuration));
      same_place += key(turns[i].configuration) == key(turns[i % combinations].configuration);
      source_changes += i > 0 && turns[i].configuration.source != turns[i - 1].configuration.source;
    }
    EXPECT_EQ(seen.size(), combinations);
  }
  EXPECT_LT(same_place, static_cast<int>(combinations) + 10);  // the first replicate is like itself
  EXPECT_GT(source_changes, static_cast<int>(combinations));   // half of all, if random
}

TEST(ParseSource, NamesTheKinds) {
  EXPECT_EQ(parse_source("tar=a=b.tar").kind, "tar");
  EXPECT_EQ(parse_source("tar=a=b.tar").path, "a=b.tar");
  for (const char* wrong : {"tar", "tar=", "zip=a", "=a", ""})
    EXPECT_THROW(parse_source(wrong), UsageError) << wrong;
}

TEST(SourceLabel, TellsSourcesOfOneKindApart) {
  const std::vector<SourceName> sources{{"tar", "a.tar"}, {"pixels", "b.h5"}, {"tar", "c.tar"}};
  EXPECT_EQ(source_label(sources, 1), "pixels");
  EXPECT_EQ(source_label(sources, 2), "tar=c.tar");
}

}  // namespace
}  // namespace whorl::readbench
