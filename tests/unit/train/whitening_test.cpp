// SPDX-License-Identifier: BSD-3-Clause
#include "train/whitening.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "support/dataset_file.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_message.hpp"

namespace whorl::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int size = 8, kernel = 2, dimension = 3 * kernel * kernel;
constexpr nn::Normalisation normalisation{{0.25F, 0.5F, 0.75F}, {0.5F, 0.25F, 0.125F}};

nn::Network whitening_network(int filters = 2 * dimension, bool reads_picture = true) {
  nn::NetworkBuilder builder("test", {3, size, size}, normalisation);
  if (!reads_picture) builder.add("relu", nn::Activation{});
  builder.add(
      "white",
      nn::Conv{
          .filters = filters, .kernel = kernel, .padding = 0, .frozen = true, .init = nn::Init::whitening});
  builder.add("head", nn::Linear{.outputs = 3});
  return std::move(builder).build();
}

/// The whitening filters, shape (24, 12).
std::vector<float> filters_from(const std::filesystem::path& path, std::int64_t samples) {
  const nn::Network network = whitening_network();
  std::vector<float> parameters(network.parameters.size());
  initialise_whitening(network, dataset::Reader(path), samples, parameters);
  const float* weights = &parameters[network.parameters.find(0, nn::Role::conv_weight)->offset];
  return {weights, weights + 2 * dimension * dimension};
}

/// Normalised patches of `samples` pictures evenly spaced over the split, in the order of convolution
/// weights: (channel, y, x).
std::vector<std::vector<double>> patches_of(const test::DatasetFile& content, std::int64_t samples) {
  std::vector<std::vector<double>> patches;
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    const auto pixels = content.picture(dataset::Split::train, sample * content.train_count / samples);
    for (int y = 0; y + kernel <= size; ++y)
      for (int x = 0; x + kernel <= size; ++x) {
        std::vector<double>& patch = patches.emplace_back();
        for (int c = 0; c < 3; ++c)
          for (int ky = 0; ky < kernel; ++ky)
            for (int kx = 0; kx < kernel; ++kx)
              patch.push_back((pixels[((y + ky) * size + x + kx) * 3 + c] / 255.0 - normalisation.mean[c]) /
                              normalisation.deviation[c]);
      }
  }
  return patches;
}

class WhiteningTest : public ::testing::Test {
 protected:
  WhiteningTest() { content.write(path); }
  const test::DatasetFile content{.image_size = size, .train_count = 20};
  test::TemporaryFolder folder;
  std::filesystem::path path = folder / "data.h5";
};

// Filters v_i / sqrt(l_i + 5e-4) answer the patches that they come from without correlation, with a mean
// square of l_i / (l_i + 5e-4); and their squared length times (l_i + 5e-4) is 1.
TEST_F(WhiteningTest, Whitens) {
  const auto patches = patches_of(content, 12);
  const std::vector<float> filters = filters_from(path, 12);
  std::vector<double> responses(dimension * dimension, 0.0);
  for (const auto& patch : patches) {
    std::vector<double> response(dimension, 0.0);
    for (int i = 0; i < dimension; ++i)
      for (int k = 0; k < dimension; ++k) response[i] += filters[i * dimension + k] * patch[k];
    for (int i = 0; i < dimension; ++i)
      for (int j = 0; j < dimension; ++j)
        responses[i * dimension + j] += response[i] * response[j] / static_cast<double>(patches.size());
  }
  double previous = 1e9;
  for (int i = 0; i < dimension; ++i) {
    double squared_length = 0;
    for (int k = 0; k < dimension; ++k) squared_length += std::pow(double{filters[i * dimension + k]}, 2);
    const double eigenvalue = responses[i * dimension + i] / squared_length;
    EXPECT_LT(eigenvalue, previous);
    EXPECT_GT(eigenvalue, 0.01);  // the pictures fill all dimensions, or this test would see nothing
    previous = eigenvalue;
    EXPECT_NEAR(squared_length * (eigenvalue + 5e-4), 1, 1e-6);
    for (int j = 0; j < dimension; ++j)
      EXPECT_NEAR(responses[i * dimension + j], i == j ? eigenvalue / (eigenvalue + 5e-4) : 0, 1e-6)
          << i << ", " << j;
  }
}

TEST_F(WhiteningTest, AppendsTheNegatives) {
  const std::vector<float> filters = filters_from(path, 20);
  for (int i = 0; i < dimension * dimension; ++i) EXPECT_EQ(filters[i], -filters[dimension * dimension + i]);
}

TEST_F(WhiteningTest, UsesAsManySamplesAsAskedFor) {
  const std::vector<float> filters = filters_from(path, 12);
  EXPECT_NE(filters, filters_from(path, 20));
  EXPECT_EQ(filters_from(path, 20), filters_from(path, 5000));
}

TEST_F(WhiteningTest, LeavesOtherTensorsAlone) {
  const nn::Network network = whitening_network();
  std::vector<float> parameters(network.parameters.size(), 3.0F);
  initialise_whitening(network, dataset::Reader(path), 4, parameters);
  const nn::Tensor& white = *network.parameters.find(0, nn::Role::conv_weight);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    EXPECT_EQ(parameters[i] == 3.0F, i < white.offset || i >= white.offset + white.count) << i;
}

TEST_F(WhiteningTest, RefusesLayersThatCannotWhiten) {
  const dataset::Reader reader(path);
  const auto error_of = [&](const nn::Network& network, std::int64_t samples) {
    std::vector<float> parameters(network.parameters.size());
    return test::thrown_message<Error>([&] { initialise_whitening(network, reader, samples, parameters); });
  };
  EXPECT_THAT(error_of(whitening_network(23), 4),
              AllOf(HasSubstr("layer white"), HasSubstr("24 filters, not 23")));
  EXPECT_THAT(error_of(whitening_network(24, false), 4), HasSubstr("read the picture"));
  EXPECT_THAT(error_of(whitening_network(), 0), HasSubstr("0 of 20 training pictures"));
}

}  // namespace
}  // namespace whorl::train
