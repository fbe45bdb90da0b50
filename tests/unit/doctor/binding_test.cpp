// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/binding.hpp"

#include <gtest/gtest.h>

#include "layouts.hpp"

namespace whorl::doctor {
namespace {

using Cores = std::vector<int>;

Finding judged(const Layout& layout, const std::vector<Binding>& bindings) {
  const std::vector<Finding> findings = judge_binding(layout, bindings);
  EXPECT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].remedy.empty(), findings[0].level == Level::ok);
  return findings[0];
}

TEST(Binding, CoresOfTheirOwnAreRight) {
  const Finding finding = judged(one_node, {{Cores{0}, Cores{0, 1}}, {Cores{1}, Cores{0, 1}}});
  EXPECT_EQ(finding.level, Level::ok);
  EXPECT_EQ(finding.text, "2 ranks of 1 thread on a, each bound to cores of its own");
}

TEST(Binding, RanksThatCrowdWhileCoresAreIdleFail) {
  const Cores allowed{0, 1, 2, 3};
  const Finding finding = judged(one_node, {{Cores{2}, allowed}, {Cores{2}, allowed}});
  EXPECT_EQ(finding.level, Level::fail);
  EXPECT_EQ(
      finding.text,
      "ranks 0-1 on a, with 1 thread each, are all bound to core 2, while the job may use 4 cores there");
  EXPECT_NE(finding.remedy.find("ppr:2:node:PE=1 --bind-to core"), std::string::npos);
}

TEST(Binding, ARankWithMoreThreadsThanItsCoresFails) {
  Layout layout = one_node;
  layout.threads = 2;
  const Cores allowed{0, 1, 2, 3};
  EXPECT_EQ(judged(layout, {{Cores{0, 1}, allowed}, {Cores{2, 3}, allowed}}).level, Level::ok);
  const Finding finding = judged(layout, {{Cores{0, 1}, allowed}, {Cores{2}, allowed}});
  EXPECT_EQ(finding.level, Level::fail);
  EXPECT_EQ(finding.text,
            "rank 1 on a, with 2 threads each, is bound to core 2, while the job may use 4 cores there");
}

TEST(Binding, MoreThreadsThanCoresIsAWarning) {
  const Finding finding = judged(one_node, {{Cores{5}, Cores{5}}, {Cores{5}, Cores{5}}});
  EXPECT_EQ(finding.level, Level::warn);
  EXPECT_EQ(finding.text, "2 ranks of 1 thread on a have only 1 core");
}

TEST(Binding, SharedButEnoughCoresIsAWarning) {
  const Cores allowed{0, 1};
  EXPECT_EQ(judged(one_node, {{allowed, allowed}, {allowed, allowed}}).text,
            "ranks 0-1 on a are not bound each to cores of its own, but all to cores 0-1");
  // Linked through a third: 0 and 2 have no core in common.
  const Layout three{.hosts = {"a", "a", "a"}, .nodes = {0, 0, 0}, .threads = 1};
  const Cores six{0, 1, 2, 3, 4, 5};
  const Finding chain = judged(three, {{Cores{0, 1}, six}, {Cores{1, 2}, six}, {Cores{2, 3}, six}});
  EXPECT_EQ(chain.level, Level::warn);
  EXPECT_EQ(chain.text, "ranks 0-2 on a are not bound each to cores of its own, but all to cores 0-3");
}

TEST(Binding, IdleCoresAreAWarning) {
  const Cores allowed{0, 1, 2};
  const Finding finding = judged(one_node, {{Cores{0}, allowed}, {Cores{1}, allowed}});
  EXPECT_EQ(finding.level, Level::warn);
  EXPECT_EQ(finding.text, "2 ranks of 1 thread on a leave 1 of 3 cores idle");
}

TEST(Binding, TheWorstNodeIsNamed) {
  const Cores allowed{0, 1};
  const Finding one =
      judged(two_nodes, {{Cores{0}, allowed}, {Cores{1}, allowed}, {Cores{0}, allowed}, {Cores{0}, allowed}});
  EXPECT_EQ(one.level, Level::fail);
  EXPECT_NE(one.text.find("ranks 2-3 on b"), std::string::npos) << one.text;
  EXPECT_EQ(one.text.find("alike"), std::string::npos) << one.text;
  const Finding both =
      judged(two_nodes, {{Cores{0}, allowed}, {Cores{0}, allowed}, {Cores{1}, allowed}, {Cores{1}, allowed}});
  EXPECT_NE(both.text.find("; all 2 nodes alike"), std::string::npos) << both.text;
}

}  // namespace
}  // namespace whorl::doctor
