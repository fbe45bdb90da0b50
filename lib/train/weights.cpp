// SPDX-License-Identifier: BSD-3-Clause
#include "train/weights.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file_system.hpp"
#include "h5/file.hpp"
#include "h5/seal.hpp"

namespace whorl::train {

namespace {

constexpr const char* format_name = "whorl-weights";

std::vector<hsize_t> file_shape(const nn::Tensor& tensor) {
  return {tensor.shape.begin(), tensor.shape.end()};
}

void write_attributes(const h5::File& file, const Weights& weights) {
  const nn::Normalisation& normalisation = weights.network.normalisation;
  const std::vector<double> mean(normalisation.mean.begin(), normalisation.mean.end());
  const std::vector<double> deviation(normalisation.deviation.begin(), normalisation.deviation.end());
  h5::write_attribute(file, "/", "format", std::string(format_name));
  h5::write_attribute(file, "/", "network", weights.network.name);
  h5::write_attribute(file, "/", "image_size", std::int64_t{weights.network.input.height});
  h5::write_attribute(file, "/", "class_names", weights.class_names);
  h5::write_attribute(file, "/", "channel_mean", mean);
  h5::write_attribute(file, "/", "channel_std", deviation);
  h5::write_attribute(file, "/", "weights_digest", weights_digest(weights.parameters));
  h5::write_attribute(file, "/", "dataset_digest", weights.dataset_digest);
}

std::array<float, 3> read_channels(const h5::File& file, const std::string& name) {
  const std::vector<double> values = h5::read_real_attribute(file, "/", name);
  require(values.size() == 3, "{}: attribute {} has {} values instead of 3", file.path(), name,
          values.size());
  return {static_cast<float>(values[0]), static_cast<float>(values[1]), static_cast<float>(values[2])};
}

h5::Dataset open_tensor(const h5::File& file, const nn::Tensor& tensor) {
  require(file.contains(tensor.name), "{}: the tensor {} is missing", file.path(), tensor.name);
  h5::Dataset dataset = h5::Dataset::open(file, tensor.name);
  require(dataset.shape() == file_shape(tensor),
          "{}: the tensor {} has the shape ({}), but this build's network has ({})", file.path(), tensor.name,
          fmt::join(dataset.shape(), ", "), fmt::join(tensor.shape, ", "));
  return dataset;
}

/// Of a file that holds them all: attributes alone may claim a network that no memory holds.
std::vector<float> read_parameters(const h5::File& file, const nn::ParameterLayout& layout) {
  std::vector<h5::Dataset> datasets;
  for (const nn::Tensor& tensor : layout.tensors()) datasets.push_back(open_tensor(file, tensor));
  std::vector<float> parameters(layout.size());
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    const nn::Tensor& tensor = layout.tensors()[i];
    datasets[i].read_rows(0, std::span(parameters).subspan(tensor.offset, tensor.count));
  }
  return parameters;
}

}  // namespace

std::string weights_digest(std::span<const float> parameters) {
  return digest_of(std::as_bytes(parameters));
}

void save_weights(const std::filesystem::path& path, const Weights& weights) {
  Draft draft(path);
  h5::File file = h5::File::create(draft.path());
  const std::span<const float> arena = weights.parameters;
  std::vector<std::string> names;
  for (const nn::Tensor& tensor : weights.network.parameters.tensors()) {
    names.push_back(tensor.name);
    const h5::Dataset dataset = h5::Dataset::create<float>(file, tensor.name, file_shape(tensor));
    dataset.write_rows(0, arena.subspan(tensor.offset, tensor.count));
  }
  write_attributes(file, weights);
  file.close();
  h5::seal(draft.path(), names);
  draft.publish();
}

Weights load_weights(const std::filesystem::path& path) {
  h5::verify_seal(path);
  const h5::File file = h5::File::open_read(path);
  require(
      h5::has_attribute(file, "/", "format") && h5::read_text_attribute(file, "/", "format") == format_name,
      "{} is not a weights file of whorl-train", file.path());
  Weights weights;
  weights.class_names = h5::read_strings_attribute(file, "/", "class_names");
  weights.dataset_digest = h5::read_text_attribute(file, "/", "dataset_digest");
  const std::int64_t image_size = h5::read_integer_attribute(file, "/", "image_size");
  require(image_size >= 1 && image_size <= 65535, "{}: attribute image_size is {}", file.path(), image_size);
  weights.network =
      nn::make_network(h5::read_text_attribute(file, "/", "network"), static_cast<int>(image_size),
                       static_cast<int>(weights.class_names.size()),
                       {read_channels(file, "channel_mean"), read_channels(file, "channel_std")});
  weights.parameters = read_parameters(file, weights.network.parameters);
  const std::string stored = h5::read_text_attribute(file, "/", "weights_digest");
  const std::string found = weights_digest(weights.parameters);
  require(found == stored, "{} is damaged: its weights have the digest {}, but {} is recorded", file.path(),
          found, stored);
  return weights;
}

}  // namespace whorl::train
