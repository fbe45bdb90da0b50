// SPDX-License-Identifier: BSD-3-Clause
#include "report/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "train/trainer.hpp"

namespace whorl::report {
namespace {

namespace phase = train::phase;

mpi::PhaseStatistics statistics(const std::string& name, const std::vector<double>& per_rank) {
  const auto longest = std::max_element(per_rank.begin(), per_rank.end());
  mpi::PhaseStatistics result;
  result.name = name;
  result.per_rank = per_rank;
  result.min = *std::min_element(per_rank.begin(), per_rank.end());
  result.max = *longest;
  result.mean = std::accumulate(per_rank.begin(), per_rank.end(), 0.0) / static_cast<double>(per_rank.size());
  result.slowest_rank = static_cast<int>(longest - per_rank.begin());
  result.slowest_host = "node" + std::to_string(result.slowest_rank);
  return result;
}

/// Two ranks; computing takes 10 s + 20 s + 1 s on rank 0 and 10 s + 29 s + 1 s on rank 1.
RunSummary two_ranks() {
  RunSummary run;
  for (const std::string& name : phase::names()) run.phases.push_back(statistics(name, {0.25, 0.25}));
  run.phases[phase::forward] = statistics("forward", {10, 10});
  run.phases[phase::backward] = statistics("backward", {20, 29});
  run.phases[phase::optimizer] = statistics("optimizer", {1, 1});
  run.phases[phase::all_reduce_exposed] = statistics("all-reduce exposed", {3, 1});
  run.phases[phase::all_reduce_hidden] = statistics("all-reduce hidden", {6, 6});
  run.test = train::Evaluation{.classes = 2, .samples = 8, .loss = 0.5, .confusion = {3, 1, 0, 4}};
  run.all_reduce = "ring of int64";
  run.images = 9000;
  run.train_seconds = 45;
  run.hosts = {"node0", "node1"};
  return run;
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Verdict, SaysAccuracySpeedAndWhatBounds) {
  const std::string text = verdict(two_ranks());
  EXPECT_TRUE(mentions(text, "87.50 % (7 of 8 pictures)")) << text;
  EXPECT_TRUE(mentions(text, "200 images/s in training on 2 ranks")) << text;
  EXPECT_TRUE(mentions(text, "bound by        computation")) << text;
  EXPECT_TRUE(mentions(text, "imbalance       12.7 %: rank 1 (node1) computes longest")) << text;
  EXPECT_TRUE(mentions(text, "all-reduce      ring of int64")) << text;
  EXPECT_TRUE(mentions(text, "communication   75 % of it hidden behind computation, 2.000 s exposed"))
      << text;
}

/// 9,000 pictures of 2 GFLOP on two ranks, whose steps take 38.25 s on average, three times 0.25 s of waiting
/// and other things included.
TEST(Verdict, ComparesAGpuWithWhatItCanDo) {
  RunSummary run = two_ranks();
  EXPECT_FALSE(mentions(verdict(run), "roofline"));
  run.training_flops = 2e9;
  run.traffic_per_picture = 4e9;
  run.gpu_ceilings = {.flops = 1e12, .bytes = 1e12};
  run.precision = "float16";
  EXPECT_DOUBLE_EQ(pictures_per_second(run), 9000. / 2 / 38.25);
  const std::string text = verdict(run);
  EXPECT_TRUE(mentions(text, "roofline        0.2 TFLOP/s in convolutions and linear layers on each GPU"))
      << text;
  EXPECT_TRUE(mentions(text, "24 % of the 1.0 of large float16 products")) << text;
  EXPECT_TRUE(
      mentions(text, "471 GB/s of activations read and written, caches included, 47 % of the 1000 of"))
      << text;
}

TEST(Verdict, PhasesOnTheClockAddUpToAHundredPercent) {
  RunSummary run = two_ranks();
  for (const auto part : {phase::rank_wait, phase::input_wait, phase::evaluate, phase::other})
    run.phases[part] = statistics(phase::names()[part], {0, 0});
  // 10, 24.5, 1 and 2 of 37.5 seconds
  const std::string text = verdict(run);
  for (const char* share : {" 26.7 %", " 65.3 %", " 2.7 %", " 5.3 %"})
    EXPECT_TRUE(mentions(text, share)) << share << "\n" << text;
  EXPECT_TRUE(mentions(text, "of 37.5 s")) << text;
}

TEST(Verdict, WaitingForPicturesIsNamedWithItsCause) {
  RunSummary run = two_ranks();
  run.phases[phase::input_wait] = statistics("input wait", {50, 40});
  run.phases[phase::read] = statistics("read", {60, 60});
  run.phases[phase::augment] = statistics("augment", {20, 20});
  const std::string text = verdict(run);
  EXPECT_TRUE(mentions(text, "bound by        input")) << text;
  EXPECT_TRUE(mentions(text, "reading takes most")) << text;
}

TEST(Verdict, CommunicationAndWaitingForRanksAreToldApart) {
  RunSummary run = two_ranks();
  run.phases[phase::input_wait] = statistics("input wait", {0, 0});
  run.phases[phase::rank_wait] = statistics("rank wait", {8, 0});
  run.phases[phase::all_reduce_exposed] = statistics("all-reduce exposed", {40.5, 40.5});
  std::string text = verdict(run);  // 35.5 s of computing, 4 of waiting for ranks, .25 of other things
  EXPECT_TRUE(mentions(text, "bound by        communication: 50 % of the training time")) << text;
  run.phases[phase::rank_wait] = statistics("rank wait", {96, 0});
  text = verdict(run);
  EXPECT_TRUE(mentions(text, "bound by        imbalance: ranks and threads wait 39 % of the training time"))
      << text;
}

TEST(Verdict, WhatNoPhaseNamesMayBeWhatBounds) {
  RunSummary run = two_ranks();
  run.phases[phase::other] = statistics("other", {62, 62});  // of 100 s with 38
  EXPECT_TRUE(mentions(verdict(run), "bound by        other: 62 % of the training time")) << verdict(run);
}

TEST(Verdict, OneRankHasNeitherImbalanceNorCommunication) {
  RunSummary run = two_ranks();
  for (auto& part : run.phases) part = statistics(part.name, {part.per_rank[0]});
  run.hosts = {"node0"};
  const std::string text = verdict(run);
  EXPECT_FALSE(mentions(text, "imbalance")) << text;
  EXPECT_FALSE(mentions(text, "hidden behind")) << text;
  EXPECT_TRUE(mentions(text, "on 1 rank,")) << text;
}

TEST(Verdict, WithoutTestPicturesThereIsNoAccuracy) {
  RunSummary run = two_ranks();
  run.test.reset();
  EXPECT_TRUE(mentions(verdict(run), "unknown: the dataset has no test pictures"));
}

TEST(Verdict, TestTimeAugmentationIsShownBesideThePlainFigure) {
  RunSummary run = two_ranks();
  run.tta = "mirror";
  run.plain = train::Evaluation{.classes = 2, .samples = 8, .loss = 0.5, .confusion = {3, 1, 1, 3}};
  const std::string text = verdict(run);
  EXPECT_TRUE(mentions(text, "87.50 %")) << text;
  EXPECT_TRUE(mentions(text, "(mirror), 75.00 % without")) << text;
}

}  // namespace
}  // namespace whorl::report
