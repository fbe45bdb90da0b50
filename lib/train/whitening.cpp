// SPDX-License-Identifier: BSD-3-Clause
#include "train/whitening.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/simd.hpp"
#include "train/augment.hpp"
#include "train/symmetric_eigen.hpp"

namespace whorl::train {

namespace {

/// The normalised picture as (channel, y, x).
std::vector<float> normalised_planes(const std::uint8_t* pixels, int size,
                                     const nn::Normalisation& normalisation) {
  const std::size_t plane = std::size_t(size) * size;
  std::vector<float> planes(3 * plane);
  for (std::size_t i = 0; i < plane; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      planes[c * plane + i] = (static_cast<float>(pixels[i * 3 + c]) / 255.0F - normalisation.mean[c]) /
                              normalisation.deviation[c];
  return planes;
}

WHORL_SIMD_CLONES double dot(const float* left, const float* right, int count) {
  constexpr int lanes = 16;  // independent sums, so that a vector of them can be added at once
  std::array<double, lanes> sums{};
  int i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int lane = 0; lane < lanes; ++lane) sums[lane] += double{left[i + lane]} * double{right[i + lane]};
  for (; i < count; ++i) sums[0] += double{left[i]} * double{right[i]};
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

/// Sums of products of all pairs of elements (channel, ky, kx) of the kernel x kernel patches of a picture,
/// added to the lower triangle of `covariance`. In plain words, for every patch: covariance += patch patch^T.
void add_patches(const std::vector<float>& planes, int size, int kernel, std::vector<double>& covariance) {
  const int dimension = 3 * kernel * kernel;
  const int places = size - kernel + 1;
  const auto element = [&](int index, int y) {
    const int channel = index / (kernel * kernel);
    const int ky = index / kernel % kernel;
    return &planes[(std::size_t(channel) * size + y + ky) * size + index % kernel];
  };
  for (int i = 0; i < dimension; ++i)
    for (int j = 0; j <= i; ++j)
      for (int y = 0; y < places; ++y)
        covariance[std::size_t(i) * dimension + j] += dot(element(i, y), element(j, y), places);
}

/// Uncentred covariance of the patches of `samples` pictures, evenly spaced over the training split because
/// ingested folders are sorted by class. Shape (dimension, dimension).
std::vector<double> patch_covariance(const nn::Network& network, const dataset::Reader& reader,
                                     std::int64_t samples, int kernel) {
  const int dimension = 3 * kernel * kernel;
  const int size = network.input.height;
  const Augmenter fit({}, reader.info().image_size, size, reader.info().channel_mean.data(), 0);
  std::vector<std::uint8_t> stored(reader.info().image_bytes());
  std::vector<std::uint8_t> fitted(std::size_t(size) * size * 3);
  std::vector<double> covariance(dimension * dimension, 0.0);
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    const std::int64_t position = sample * reader.info().train_count / samples;
    reader.read_images(dataset::Split::train, {&position, 1}, stored.data());
    reader.require_unchanged();
    fit.evaluation_view(stored.data(), fitted.data());
    add_patches(normalised_planes(fitted.data(), size, network.normalisation), size, kernel, covariance);
  }
  const double places = double(size - kernel + 1) * (size - kernel + 1) * static_cast<double>(samples);
  for (int i = 0; i < dimension; ++i)
    for (int j = 0; j <= i; ++j)
      covariance[i * dimension + j] = covariance[j * dimension + i] = covariance[i * dimension + j] / places;
  return covariance;
}

}  // namespace

void initialise_whitening(const nn::Network& network, const dataset::Reader& reader, std::int64_t samples,
                          std::span<float> parameters) {
  const std::int64_t used = std::min(samples, reader.info().train_count);
  for (std::size_t index = 0; index < network.layers.size(); ++index) {
    const nn::Layer& layer = network.layers[index];
    const auto* convolution = std::get_if<nn::Conv>(&layer.operation);
    if (convolution == nullptr || convolution->init != nn::Init::whitening) continue;
    require(used > 0, "layer {} cannot whiten with {} of {} training pictures", layer.name, samples,
            reader.info().train_count);
    const int dimension = 3 * convolution->kernel * convolution->kernel;
    require(layer.inputs.front() == nn::network_input && convolution->filters == 2 * dimension,
            "layer {} cannot whiten: it has to read the picture and have {} filters, not {}", layer.name,
            2 * dimension, convolution->filters);
    const std::vector<Eigenpair> pairs =
        symmetric_eigenpairs(patch_covariance(network, reader, used, convolution->kernel), dimension);
    float* positive =
        &parameters[network.parameters.find(static_cast<int>(index), nn::Role::conv_weight)->offset];
    float* negative = positive + std::size_t(dimension) * dimension;
    for (const Eigenpair& pair : pairs) {
      for (const double component : pair.vector) {
        *positive = static_cast<float>(component / std::sqrt(pair.value + 5e-4));
        *negative++ = -*positive++;
      }
    }
  }
}

}  // namespace whorl::train
