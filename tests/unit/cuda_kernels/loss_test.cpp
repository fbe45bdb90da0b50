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

TYPED_TEST(LossKernels, ReadsLogits) {
  const Doubles logits = normal_numbers<TypeParam>(77 * 10, 2);
  auto device_logits = array_of<TypeParam>(padded(logits, 10, 16));
  auto out = DeviceArray<float>::poisoned(77 * 10);
  read_logits(storage_of<TypeParam>, 77, 10, 16, device_logits.data(), out.data(), nullptr);
  out.expect_all_written();
  EXPECT_EQ(out.numbers(), logits);
}

}  // namespace
}  // namespace whorl::nn::cuda
