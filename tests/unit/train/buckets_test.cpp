// SPDX-License-Identifier: BSD-3-Clause
#include "train/buckets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>

#include "nn/network.hpp"

namespace whorl::train {
namespace {

using collective::Element;

/// Doubles what it is given, once; records the order. A bucket is started at most once before it is waited
/// for.
class RecordingAllReduce : public collective::AllReduce {
 public:
  std::string name() const override { return "recording"; }
  std::optional<collective::Cost> cost(collective::Values data) const override {
    return collective::Cost{2, static_cast<std::int64_t>(data.size_bytes())};
  }
  std::optional<collective::Cost> spent() const override { return std::nullopt; }
  collective::Ticket start_sum(collective::Values data) override {
    started.push_back(data);
    return {started.size() - 1};
  }
  bool done(collective::Ticket ticket) const override {
    return std::count(waited.begin(), waited.end(), ticket.id) > 0;
  }
  void progress() override { ++progressed; }
  void wait(collective::Ticket ticket) override {
    const collective::Values data = started.at(ticket.id);
    for (std::size_t i = 0; i < data.size(); ++i) reinterpret_cast<float*>(data.data())[i] *= 2;
    waited.push_back(ticket.id);
  }

  std::vector<collective::Values> started;
  std::vector<std::uint64_t> waited;
  int progressed = 0;
};

nn::Network small_network() {
  return nn::make_network("petal", 16, 5, {});
}

TEST(BucketEnds, CutBehindTheTensorThatFillsABucket) {
  const nn::Network network = small_network();
  const auto& tensors = network.parameters.tensors();
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{4000}, std::size_t{100'000}, std::size_t{1} << 40}) {
    const std::vector<std::size_t> ends = bucket_ends(network.parameters, Element::float32, bytes);
    ASSERT_FALSE(ends.empty());
    EXPECT_EQ(ends.back(), network.parameters.size());
    std::size_t begin = 0, tensor = 0;
    for (const std::size_t end : ends) {
      ASSERT_GT(end, begin);
      std::size_t last_offset = begin;
      while (tensor < tensors.size() && tensors[tensor].offset < end) last_offset = tensors[tensor++].offset;
      EXPECT_LE(tensors[tensor - 1].offset + tensors[tensor - 1].count, end);  // whole tensors only
      EXPECT_LT((last_offset - begin) * sizeof(float), bytes)
          << "without its last tensor, the bucket would have been full";
      EXPECT_TRUE(end == ends.back() || (end - begin) * sizeof(float) >= bytes);
      begin = end;
    }
    EXPECT_EQ(tensor, tensors.size());
  }
  EXPECT_EQ(bucket_ends(network.parameters, Element::float32, 1).size(), tensors.size());
  EXPECT_EQ(bucket_ends(network.parameters, Element::float32, std::size_t{1} << 40).size(), 1U);
}

TEST(GradientBuckets, StartsABucketOnceAllOfItIsReady) {
  const nn::Network network = small_network();
  const std::vector<std::size_t> ends = bucket_ends(network.parameters, Element::float32, 10'000);
  ASSERT_GE(ends.size(), 3U);
  std::vector<float> arena(network.parameters.size());
  RecordingAllReduce all_reduce;
  GradientBuckets buckets(all_reduce, std::span(arena), ends);
  EXPECT_EQ(buckets.count(), ends.size());
  buckets.ready(ends[0] - 1);
  EXPECT_EQ(all_reduce.started.size(), 0U);
  buckets.ready(ends[0]);
  EXPECT_EQ(all_reduce.started.size(), 1U);
  buckets.ready(ends[2] - 1);
  EXPECT_EQ(all_reduce.started.size(), 2U);
  EXPECT_GE(all_reduce.progressed, 2);
  buckets.finish();
  EXPECT_EQ(all_reduce.started.size(), ends.size());
}

TEST(GradientBuckets, SumsEveryFloatExactlyOnceAStep) {
  const nn::Network network = small_network();
  std::vector<float> arena(network.parameters.size());
  RecordingAllReduce all_reduce;
  GradientBuckets buckets(all_reduce, std::span(arena),
                          bucket_ends(network.parameters, Element::float32, 3'000));
  for (int step = 1; step <= 2; ++step) {
    std::iota(arena.begin(), arena.end(), 1.0F);
    if (step == 1) buckets.ready(arena.size() / 2);  // the second step is that of a rank without shards
    buckets.finish();
    for (std::size_t i = 0; i < arena.size(); ++i)
      ASSERT_EQ(arena[i], 2 * static_cast<float>(i + 1)) << i << ", step " << step;
    ASSERT_EQ(all_reduce.started.size(), step * buckets.count());
    ASSERT_EQ(all_reduce.waited.size(), step * buckets.count());
  }
}

TEST(BucketEnds, OfIntegersHoldHalfAsMany) {
  const nn::Network network = small_network();
  EXPECT_EQ(bucket_ends(network.parameters, Element::int64, 20'000),
            bucket_ends(network.parameters, Element::float32, 10'000));
}

TEST(GradientBuckets, OnlyCommunicationIsExposed) {
  using namespace std::chrono_literals;
  struct Slow : RecordingAllReduce {
    void wait(collective::Ticket ticket) override {
      std::this_thread::sleep_for(5ms);
      RecordingAllReduce::wait(ticket);
    }
  } all_reduce;
  const nn::Network network = small_network();
  std::vector<float> arena(network.parameters.size());
  GradientBuckets buckets(all_reduce, std::span(arena),
                          bucket_ends(network.parameters, Element::float32, 10'000));
  const double communication = 5e-3 * static_cast<double>(buckets.count());
  buckets.finish([](Range) { std::this_thread::sleep_for(50ms); });
  const double exposed = buckets.take_exposed();
  EXPECT_GE(exposed, communication);
  EXPECT_LT(exposed, 5 * communication) << "with what is done with sums it were eleven times";
  EXPECT_EQ(buckets.take_exposed(), 0);
}

TEST(GradientBuckets, TellsOfEachBucketOnceItIsSummed) {
  const nn::Network network = small_network();
  std::vector<float> arena(network.parameters.size(), 1.0F);
  RecordingAllReduce all_reduce;
  const std::vector<std::size_t> ends = bucket_ends(network.parameters, Element::float32, 10'000);
  GradientBuckets buckets(all_reduce, std::span(arena), ends);
  std::vector<std::size_t> told;
  buckets.finish([&](Range elements) {
    EXPECT_EQ(elements.begin, static_cast<std::int64_t>(told.empty() ? 0 : told.back()));
    told.push_back(static_cast<std::size_t>(elements.end));
    EXPECT_EQ(arena[told.back() - 1], 2.0F);
    EXPECT_EQ(all_reduce.waited.size(), told.size());
  });
  EXPECT_EQ(told, ends);
}

TEST(GradientBuckets, CostIsThatOfAllBuckets) {
  const nn::Network network = small_network();
  std::vector<float> arena(network.parameters.size());
  RecordingAllReduce all_reduce;
  const GradientBuckets buckets(all_reduce, std::span(arena),
                                bucket_ends(network.parameters, Element::float32, 3'000));
  ASSERT_TRUE(buckets.cost().has_value());
  EXPECT_EQ(buckets.cost()->steps, 2 * static_cast<std::int64_t>(buckets.count()));
  EXPECT_EQ(buckets.cost()->bytes_sent, static_cast<std::int64_t>(arena.size() * sizeof(float)));
}

}  // namespace
}  // namespace whorl::train
