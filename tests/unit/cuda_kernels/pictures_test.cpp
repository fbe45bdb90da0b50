// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/pictures.hpp"

#include "cuda_kernels/emulated_gpu.hpp"
#include "train/augment.hpp"

namespace whorl::nn::cuda {
namespace {

template <typename T>
struct PictureKernels : ::testing::Test {};
TYPED_TEST_SUITE(PictureKernels, StorageTypes, StorageNames);

constexpr int size = 7, pictures = 5, samples = 6;
const std::vector<PictureView> views = {
    {4, 0, 0, 0}, {0, 2, -2, 0}, {3, -6, 6, 1}, {3, 1, 3, 1}, {1, 0, 0, 1},  {2, -1, 0, 0},  // of batch 0
    {0, 6, 6, 1}, {1, 0, 1, 0},  {2, 1, 0, 1},  {3, 0, 0, 0}, {4, -3, 2, 1}, {0, 0, 0, 1}};

std::vector<std::uint8_t> pixels() {
  std::vector<std::uint8_t> all;
  for (int i = 0; i < pictures * size * size * 3; ++i) all.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  return all;
}

const float mean[] = {0.5F, 0.25F, 0.4F}, deviation[] = {0.25F, 0.5F, 0.2F};

/// train::shifted_view, then the normalisation of the executors.
Doubles expected_sample(const PictureView& view, int channels) {
  const std::vector<std::uint8_t> all = pixels();
  std::vector<std::uint8_t> shifted(std::size_t{size} * size * 3);
  train::shifted_view(all.data() + std::size_t(view.picture) * shifted.size(), size, view.dy, view.dx,
                      view.mirrored != 0, shifted.data());
  Doubles values;
  for (std::size_t pixel = 0; pixel < shifted.size() / 3; ++pixel)
    for (std::size_t c = 0; c < std::size_t(channels); ++c)
      values.push_back(c < 3 ? (shifted[pixel * 3 + c] / 255.0 - double{mean[c]}) / double{deviation[c]} : 0);
  return values;
}

template <typename T>
void check(int channels, const Batch& batch, const std::vector<PictureView>& expected_views) {
  DeviceArray<std::uint8_t> device_pixels(pixels());
  const Doubles actual = in_every_order([&] {
    auto out = DeviceArray<T>::poisoned(std::int64_t{batch.samples} * size * size * channels);
    PictureGather gather{.pixels = device_pixels.data(), .size = size, .channels = channels};
    for (int c = 0; c < 3; ++c) {
      gather.mean[c] = mean[c];
      gather.deviation[c] = deviation[c];
    }
    gather_pictures(storage_of<T>, gather, batch, out.data(), nullptr);
    out.expect_all_written();
    return out.numbers();
  });
  Doubles expected;
  for (const PictureView& view : expected_views) {
    const Doubles sample = expected_sample(view, channels);
    expected.insert(expected.end(), sample.begin(), sample.end());
  }
  expect_close<T>(actual, expected);
}

TYPED_TEST(PictureKernels, GathersTheBatchOfTheNumber) {
  DeviceArray<PictureView> device_views(views);
  for (const std::int64_t number : {0, 1}) {
    DeviceArray<std::int64_t> device_number({number});
    const auto first = views.begin() + number * samples;
    for (const int channels : {4, 8})
      check<TypeParam>(channels, {samples, device_views.data(), device_number.data()},
                       {first, first + samples});
  }
}

TYPED_TEST(PictureKernels, TakesViewsWithoutANumber) {
  DeviceArray<PictureView> device_views(views);
  check<TypeParam>(8, {3, device_views.data() + 2, nullptr}, {views.begin() + 2, views.begin() + 5});
}

TYPED_TEST(PictureKernels, WithoutViewsTakesPicturesAsTheyAre) {
  check<TypeParam>(8, {3, nullptr, nullptr}, {{0, 0, 0, 0}, {1, 0, 0, 0}, {2, 0, 0, 0}});
}

}  // namespace
}  // namespace whorl::nn::cuda
