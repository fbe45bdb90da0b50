// SPDX-License-Identifier: BSD-3-Clause
#include "scale/findings.hpp"

#include <gtest/gtest.h>

#include "rows.hpp"

namespace whorl::scale {
namespace {

using test::row;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Series, RowsThatDifferInRanksOnlyBelongTogether) {
  std::vector<Row> rows{row(4, 300), row(1, 100), row(2, 190), row(2, 200), row(1, 90)};
  rows[4].timing.point.all_reduce = "mpi";
  const std::vector<Series> series = series_of(rows);
  ASSERT_EQ(series.size(), 2U);
  EXPECT_EQ(series[0].all_reduce, "mpi") << "by name, in whatever order the rows come";
  ASSERT_EQ(series[1].points.size(), 3U);
  EXPECT_EQ(series[1].points[0].ranks, 1);
  EXPECT_EQ(series[1].points[1].sample().throughputs.size(), 2U);
  EXPECT_EQ(series[1].points[2].ranks, 4);
}

TEST(Series, WeakScalingIsGroupedByTheBatchOfARank) {
  std::vector<Row> rows{row(1, 100), row(2, 190), row(4, 300)};
  for (Row& one : rows) {
    one.timing.point.scaling = "weak";
    one.timing.point.batch = 50 * one.timing.point.ranks;
  }
  const std::vector<Series> series = series_of(rows);
  ASSERT_EQ(series.size(), 1U);
  EXPECT_EQ(series[0].batch, 50);
  EXPECT_EQ(series[0].fits()[0].law, "Gustafson");
}

TEST(Series, PlacementsShareThePointsThatHaveOnlyOne) {
  std::vector<Row> rows{row(1, 100), row(2, 190), row(2, 150), row(4, 300)};
  rows[2].timing.point.placement = "spread";
  rows[2].timing.point.nodes = rows[3].timing.point.nodes = 2;
  const std::vector<Series> series = series_of(rows);
  ASSERT_EQ(series.size(), 2U);
  for (const Series& one : series) {
    ASSERT_EQ(one.points.size(), 3U) << one.title();
    EXPECT_EQ(one.points[1].rows.size(), 1U);
    EXPECT_EQ(one.points[1].sample().throughputs[0],
              one.placement == "packed" ? rows[1].throughput() : rows[2].throughput());
    EXPECT_TRUE(contains(one.title(), one.placement));
  }
}

TEST(Series, APlacementTakesThePointThatIsTimedUnderTheNameOfAnother) {
  // Three nodes of four ranks; placements packed, spread, 2: two ranks a node are packed on 2, spread on 12
  // ranks.
  std::vector<Row> rows{row(1, 100), row(2, 190), row(2, 150), row(4, 370),
                        row(4, 300), row(4, 330), row(12, 800)};
  const std::vector<std::pair<const char*, int>> places{
      {"packed", 1}, {"packed", 1}, {"spread", 2}, {"packed", 1}, {"spread", 3}, {"2", 2}, {"packed", 3}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].timing.point.placement = places[i].first;
    rows[i].timing.point.nodes = places[i].second;
  }
  const auto throughputs_of = [&](const std::string& placement) {
    std::vector<double> all;
    for (const Series& one : series_of(rows)) {
      if (one.placement != placement) continue;
      for (const SeriesPoint& point : one.points) {
        EXPECT_EQ(point.rows.size(), 1U);
        all.push_back(point.rows[0].throughput());
      }
    }
    return all;
  };
  EXPECT_EQ(throughputs_of("packed"), (std::vector<double>{100, 190, 370, 800}));
  EXPECT_EQ(throughputs_of("spread"), (std::vector<double>{100, 150, 300, 800}));
  EXPECT_EQ(throughputs_of("2"), (std::vector<double>{100, 190, 330, 800}));
}

TEST(Findings, WhereItStopsIsTheFirstStepThatBringsLessThanHalf) {
  const auto stop = [](const std::vector<Row>& rows) { return stops_at(series_of(rows)[0].samples()); };
  EXPECT_EQ(stop({row(1, 100), row(2, 190), row(4, 280), row(8, 500)}), 2U);
  EXPECT_EQ(stop({row(1, 100), row(2, 190), row(4, 300), row(8, 500)}), std::nullopt);
  EXPECT_EQ(stop({row(1, 100)}), std::nullopt);
}

TEST(Findings, TheReasonIsThePartThatGrows) {
  const std::vector<Row> rows{row(1, 100, {.compute = 9, .input = 1}),
                              row(2, 190, {.compute = 9, .input = 1}),
                              row(4, 200, {.compute = 4, .communication = 4.5, .input = 0.5, .waiting = 1})};
  const std::string text = explain(series_of(rows)[0]);
  EXPECT_TRUE(contains(text, "It stops scaling at 4 ranks: over 2, they bring 5 % of what they could"))
      << text;
  EXPECT_TRUE(contains(text, "exposed all-reduce")) << text;
}

TEST(Findings, SlowerWithMoreRanksIsSaidSo) {
  const std::string text = explain(series_of({row(1, 100), row(2, 80)})[0]);
  EXPECT_TRUE(contains(text, "It stops scaling at 2 ranks: they do less than 1.")) << text;
}

TEST(Findings, RepeatsThatDisagreeAreSaidSo) {
  const auto text_of = [](double one, double other) {
    return explain(series_of({row(1, 100), row(1, 101), row(2, one), row(2, other)})[0]);
  };
  EXPECT_TRUE(contains(text_of(60, 190), "not certain"));
  EXPECT_FALSE(contains(text_of(180, 190), "not certain"));
}

TEST(Findings, OnePointSaysThatNothingCanBeSaid) {
  const std::string text = findings_text({row(2, 100), row(2, 110)});
  EXPECT_TRUE(contains(text, "nothing can be said about scaling")) << text;
  EXPECT_TRUE(contains(text, "Amdahl needs timings on 2 or more numbers of ranks; there is 1")) << text;
}

}  // namespace
}  // namespace whorl::scale
