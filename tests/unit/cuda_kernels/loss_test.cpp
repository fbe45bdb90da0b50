// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/loss.hpp"

#include "cuda_kernels/emulated_gpu.hpp"

namespace whorl::nn::cuda {
namespace {

template <typename T>
struct LossKernels : ::testing::Test {};
TYPED_TEST_SUITE(LossKernels, StorageTypes, StorageNames);

/// (samples, classes) to (samples, padded), with NaN in the padding, which must not be read.
Doubles padded(const Doubles& logits, int classes, int padded_classes) {
  Doubles all;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    all.push_back(logits[i]);
    if ((i + 1) % std::size_t(classes) == 0)
      all.insert(all.end(), std::size_t(padded_classes - classes), NAN);
  }
  return all;
}

template <typename T>
void check(int samples, int classes, int padded_classes, float smoothing) {
  SCOPED_TRACE(::testing::Message() << classes << " classes");
  Doubles logits = normal_numbers<T>(std::int64_t{samples} * classes, 1, 0, 4);
  std::vector<std::int32_t> labels;
  std::vector<PictureView> views;
  for (int n = 0; n < samples; ++n) {
    labels.push_back(n * 5 % classes);
    views.push_back({(n * 3 + 1) % samples, 0, 0, 0});
    if (n % 4 == 0) logits[n * classes] = logits[(n + 1) * classes - 1] = 20;  // two equal maxima
  }
  std::vector<std::int32_t> labels_in_order;
  for (const PictureView& view : views) labels_in_order.push_back(labels[std::size_t(view.picture)]);
  reference::Maps maps(samples, Shape{classes}), gradient(samples, Shape{classes});
  maps.values = logits;
  const ShardResult expected =
      reference::softmax_cross_entropy(maps, labels_in_order, double{smoothing}, gradient);

  auto device_logits = array_of<T>(padded(logits, classes, padded_classes));
  DeviceArray<std::int32_t> device_labels(labels);
  DeviceArray<PictureView> device_views(views);
  Doubles actual_gradient;
  const std::vector<LossTotals> totals = in_every_order([&] {
    auto device_gradient = DeviceArray<T>::poisoned(std::int64_t{samples} * padded_classes);
    auto losses = DeviceArray<float>::poisoned(samples);
    auto correct = DeviceArray<std::int32_t>::poisoned(samples);
    DeviceArray<LossTotals> device_totals({{1, 10}, {100, 1000}, {1, 10}});
    DeviceArray<std::int64_t> step({1});
    cross_entropy(storage_of<T>,
                  {classes, padded_classes, smoothing, device_logits.data(), device_labels.data(),
                   device_gradient.data(), losses.data(), correct.data()},
                  {samples, device_views.data(), nullptr}, nullptr);
    device_gradient.expect_all_written();
    add_loss(samples, losses.data(), correct.data(), device_totals.data(), step.data(), nullptr);
    actual_gradient = device_gradient.numbers();
    return device_totals.values();
  });
  EXPECT_NEAR(totals[1].loss, 100 + expected.loss, 2e-6 * expected.loss);
  EXPECT_EQ(totals[1].correct, 1000 + expected.correct);
  for (const LossTotals& other : {totals[0], totals[2]}) EXPECT_TRUE(other.loss == 1 && other.correct == 10);
  Doubles expected_gradient = padded(gradient.values, classes, padded_classes);
  for (double& value : expected_gradient) value = std::isnan(value) ? 0 : value;
  expect_close<T>(actual_gradient, expected_gradient);
}

TYPED_TEST(LossKernels, CrossEntropy) {
  check<TypeParam>(21, 10, 16, 0.2F);
  check<TypeParam>(7, 102, 104, 0.0F);  // more classes than threads
  check<TypeParam>(300, 2, 8, 0.1F);    // more samples than threads that add them
  check<TypeParam>(5, 8, 8, 0.1F);
}

TYPED_TEST(LossKernels, ALabelThatIsNoClassMakesTheLossNaN) {
  auto logits = array_of<TypeParam>(Doubles(24, 1.0));
  auto gradient = DeviceArray<TypeParam>::poisoned(24);
  DeviceArray<std::int32_t> labels({1, 8, -1});
  auto losses = DeviceArray<float>::poisoned(3);
  auto correct = DeviceArray<std::int32_t>::poisoned(3);
  cross_entropy(storage_of<TypeParam>,
                {8, 8, 0, logits.data(), labels.data(), gradient.data(), losses.data(), correct.data()},
                {3, nullptr, nullptr}, nullptr);
  EXPECT_FLOAT_EQ(losses.values()[0], std::log(8.0F));
  EXPECT_TRUE(std::isnan(losses.values()[1]) && std::isnan(losses.values()[2]));
  EXPECT_EQ(correct.values(),
            (std::vector<std::int32_t>{0, 0, 0}));  // of equal logits the first, class 0, wins
}

TEST(LossKernel, WithoutAStepAddsToTheFirstTotal) {
  auto losses = floats_of({0.5, 0.25});
  DeviceArray<std::int32_t> correct({1, 1});
  DeviceArray<LossTotals> totals({{4, 5}});
  add_loss(2, losses.data(), correct.data(), totals.data(), nullptr, nullptr);
  EXPECT_EQ(totals.values()[0].loss, 4.75);
  EXPECT_EQ(totals.values()[0].correct, 7);
}

TYPED_TEST(LossKernels, ReadsLogitsAndAddsThemByWeight) {
  const Doubles first = normal_numbers<TypeParam>(77 * 10, 2), second = normal_numbers<TypeParam>(77 * 10, 3);
  auto device_first = array_of<TypeParam>(padded(first, 10, 16)),
       device_second = array_of<TypeParam>(padded(second, 10, 16));
  auto out = DeviceArray<float>::poisoned(77 * 10);
  read_logits(storage_of<TypeParam>, {77, 10, 16, device_first.data(), 1, false, out.data()}, nullptr);
  out.expect_all_written();
  EXPECT_EQ(out.numbers(), first);
  read_logits(storage_of<TypeParam>, {77, 10, 16, device_second.data(), 0.25F, true, out.data()}, nullptr);
  for (std::size_t i = 0; i < first.size(); ++i)
    ASSERT_EQ(out.values()[i], static_cast<float>(first[i]) + 0.25F * static_cast<float>(second[i]));
}

TEST(ScoreLogits, IsTheSumInDouble) {
  constexpr int samples = 150, classes = 7;
  constexpr double unit = 0x1p-24, largest_loss = 40;
  Doubles logits = normal_numbers<float>(std::int64_t{samples} * classes, 4, 0, 5);
  logits[2] = logits[5] = 30;  // of two equal ones the first wins
  logits[classes] = 100;       // a loss that is too large: the label is 3
  auto device_logits = floats_of(logits);
  std::vector<std::int32_t> labels(samples);
  for (int n = 0; n < samples; ++n) labels[std::size_t(n)] = (n * 5 + 5) % classes;
  DeviceArray<std::int32_t> device_labels(labels);
  const std::vector<Score> scores = in_every_order([&] {
    auto out = DeviceArray<Score>::poisoned(samples);
    score_logits(
        {samples, classes, device_logits.data(), device_labels.data(), unit, largest_loss, out.data()},
        nullptr);
    out.expect_all_written();
    return out.values();
  });
  EXPECT_EQ(scores[0].prediction, 2);
  EXPECT_EQ(scores[1].loss, std::llround(largest_loss / unit));
  for (std::size_t n = 2; n < samples; ++n) {
    const auto row = logits.begin() + std::ptrdiff_t(n) * classes;
    const auto largest = std::max_element(row, row + classes);
    double sum = 0;
    for (int k = 0; k < classes; ++k) sum += std::exp(row[k] - *largest);
    EXPECT_EQ(scores[n].prediction, largest - row);
    EXPECT_EQ(scores[n].loss, std::llround((*largest + std::log(sum) - row[labels[n]]) / unit)) << n;
  }
}

TEST(ScoreLogits, PredictsNothingOfLogitsThatAreNotFinite) {
  auto logits = floats_of({0, NAN, 1, INFINITY, -INFINITY, 2, 3, 4});
  DeviceArray<std::int32_t> labels({0, 1, 0, 1});
  auto scores = DeviceArray<Score>::poisoned(4);
  score_logits({4, 2, logits.data(), labels.data(), 1, 1, scores.data()}, nullptr);
  std::vector<std::int64_t> predictions;
  for (const Score& score : scores.values()) predictions.push_back(score.prediction);
  EXPECT_EQ(predictions, (std::vector<std::int64_t>{-1, -1, -1, 1}));
}

}  // namespace
}  // namespace whorl::nn::cuda
