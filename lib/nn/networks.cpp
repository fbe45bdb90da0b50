// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "nn/network.hpp"

namespace whorl::nn {

namespace {

/// The 2x2 whitening front of airbench94: 12 eigenvectors of 2x2x3 patches and their negatives, frozen; only
/// the bias is trained.
void add_whitening(NetworkBuilder& net) {
  net.add(
      "whiten",
      Conv{.filters = 24, .kernel = 2, .padding = 0, .bias = true, .frozen = true, .init = Init::whitening});
  net.add("whiten_gelu", Activation{Activation::gelu});
}

/// airbench94's unit: 3x3 convolution that starts as the identity, max pooling if `pooled`, batch-norm with
/// trained shift only, GELU.
void add_unit(NetworkBuilder& net, const std::string& number, int filters, bool pooled) {
  net.add("conv" + number, Conv{.filters = filters, .init = Init::dirac});
  if (pooled) net.add("pool" + number, Pool{});
  net.add("norm" + number, BatchNorm{.epsilon = 1e-12F, .momentum = 0.4F, .scale = false});
  net.add("gelu" + number, Activation{Activation::gelu});
}

/// Pools everything that is left, then airbench94's head.
void add_max_head(NetworkBuilder& net, int classes, float factor) {
  const int side = net.shape_of(NetworkBuilder::previous).height;
  net.add("global_pool", Pool{.kind = Pool::max, .window = side, .stride = side});
  net.add("head", Linear{.outputs = classes, .bias = false, .init = Init::unit_deviation});
  net.add("logits", Scale{factor});
}

/// The network of airbench94_muon (KellerJordan/cifar10-airbench), for 32 px exactly; other sizes pool what
/// is left at the end.
void add_air94(NetworkBuilder& net, int classes) {
  add_whitening(net);
  add_unit(net, "1", 64, true);
  add_unit(net, "2", 64, false);
  add_unit(net, "3", 256, true);
  add_unit(net, "4", 256, false);
  add_unit(net, "5", 256, true);
  add_unit(net, "6", 256, false);
  add_max_head(net, classes, 1.0F / 256);
}

/// air94's little sister, a sixth of its arithmetic.
void add_petal(NetworkBuilder& net, int classes) {
  add_whitening(net);
  add_unit(net, "1", 32, true);
  add_unit(net, "2", 32, false);
  add_unit(net, "3", 64, true);
  add_unit(net, "4", 64, false);
  add_unit(net, "5", 128, true);
  add_unit(net, "6", 128, false);
  add_max_head(net, classes, 1.0F / 128);
}

/// Two 3x3 convolutions beside an identity, or beside a 1x1 projection where the shape changes. `input` is
/// the layer before the block.
int add_basic_block(NetworkBuilder& net, const std::string& name, int input, int filters, int stride) {
  net.add(name + "_conv1", Conv{.filters = filters, .stride = stride}, input);
  net.add(name + "_norm1", BatchNorm{});
  net.add(name + "_relu1", Activation{});
  net.add(name + "_conv2", Conv{.filters = filters});
  const int branch = net.add(name + "_norm2", BatchNorm{.initial_scale = 0});
  int shortcut = input;
  if (stride != 1 || net.shape_of(input).channels != filters) {
    net.add(name + "_projection", Conv{.filters = filters, .kernel = 1, .stride = stride, .padding = 0},
            input);
    shortcut = net.add(name + "_projection_norm", BatchNorm{});
  }
  net.add_sum(name + "_sum", branch, shortcut);
  return net.add(name + "_relu2", Activation{});
}

/// ResNet-18 as in torchvision (He et al. 2015, table 1).
void add_resnet18(NetworkBuilder& net, int classes) {
  net.add("stem_conv", Conv{.filters = 64, .kernel = 7, .stride = 2, .padding = 3});
  net.add("stem_norm", BatchNorm{});
  net.add("stem_relu", Activation{});
  int last = net.add("stem_pool", Pool{.window = 3, .stride = 2, .padding = 1});
  for (int stage = 1; stage <= 4; ++stage) {
    const int filters = 32 << stage;
    for (int block = 1; block <= 2; ++block) {
      const int stride = stage > 1 && block == 1 ? 2 : 1;
      last = add_basic_block(net, fmt::format("stage{}_block{}", stage, block), last, filters, stride);
    }
  }
  const int side = net.shape_of(last).height;
  net.add("global_pool", Pool{.kind = Pool::average, .window = side, .stride = side});
  net.add("head", Linear{.outputs = classes});
}

struct NamedNetwork {
  const char* name;
  int smallest_image;
  void (*add_layers)(NetworkBuilder& net, int classes);
};

constexpr NamedNetwork named_networks[] = {
    {"petal", 16, add_petal}, {"air94", 16, add_air94}, {"resnet18", 32, add_resnet18}};

}  // namespace

std::vector<std::string> network_names() {
  std::vector<std::string> names;
  for (const NamedNetwork& network : named_networks) names.emplace_back(network.name);
  return names;
}

Network make_network(const std::string& name, int image_size, int classes,
                     const Normalisation& normalisation) {
  const auto* found = std::find_if(std::begin(named_networks), std::end(named_networks),
                                   [&](const NamedNetwork& network) { return network.name == name; });
  require(found != std::end(named_networks), "there is no network {}: there are {}", name,
          fmt::join(network_names(), ", "));
  require(image_size >= found->smallest_image, "network {} needs pictures of at least {} px, these have {}",
          name, found->smallest_image, image_size);
  require(classes >= 2, "network {} needs at least 2 classes, not {}", name, classes);
  NetworkBuilder builder(name, Shape{3, image_size, image_size}, normalisation);
  found->add_layers(builder, classes);
  return std::move(builder).build();
}

}  // namespace whorl::nn
