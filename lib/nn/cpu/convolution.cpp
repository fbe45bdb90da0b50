// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/convolution.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace whorl::nn::cpu {

Convolution::Convolution(const dnnl::engine& engine, const ConvolutionShape& shape,
                         const dnnl::memory::desc& source, const NeededDirections& needed)
    : engine_(engine),
      stream_(engine),
      shape_(shape),
      source_(source),
      forward_(create(Direction::forward)),
      forward_values_(weights_of(forward_, Direction::forward)) {
  if (needed.backward_data) {
    backward_data_ = create(Direction::backward_data);
    backward_values_ = weights_of(*backward_data_, Direction::backward_data);
  }
  if (needed.backward_weights) {
    backward_weights_ = create(Direction::backward_weights);
    gradient_ = weights_of(*backward_weights_, Direction::backward_weights);
  }
}

ConvolutionPass Convolution::create(Direction direction) const {
  auto pass = ConvolutionPass::create(engine_, shape_, direction, source_);
  require(pass.has_value(), "oneDNN has no {} for a {}x{} convolution of {} to {} channels",
          to_string(direction), shape_.kernel_height, shape_.kernel_width, shape_.inputs, shape_.filters);
  return *pass;
}

Convolution::PassWeights Convolution::weights_of(const ConvolutionPass& pass, Direction direction) const {
  PassWeights weights;
  weights.storage = HugeBuffer(pass.weights().get_size());
  weights.values = dnnl::memory(pass.weights(), engine_, weights.storage.data());
  const dnnl::memory::desc canonical = canonical_weights(shape_);
  if (direction == Direction::backward_weights) {
    dnnl::post_ops add;
    add.append_sum(1.0F);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(add);
    weights.reorder =
        dnnl::reorder(dnnl::reorder::primitive_desc(engine_, pass.weights(), engine_, canonical, attributes));
  } else {
    weights.reorder =
        dnnl::reorder(dnnl::reorder::primitive_desc(engine_, canonical, engine_, pass.weights()));
  }
  return weights;
}

std::size_t Convolution::scratch_bytes() const {
  std::size_t bytes = forward_.scratch_bytes();
  if (backward_data_) bytes = std::max(bytes, backward_data_->scratch_bytes());
  if (backward_weights_) bytes = std::max(bytes, backward_weights_->scratch_bytes());
  return bytes;
}

std::size_t Convolution::bytes() const {
  return forward_values_.storage.bytes() + backward_values_.storage.bytes() + gradient_.storage.bytes();
}

void Convolution::take_weights(PassWeights& weights, const float* canonical) {
  dnnl::memory from(canonical_weights(shape_), engine_, const_cast<float*>(canonical));
  weights.reorder.execute(stream_, from, weights.values);
  stream_.wait();
}

void Convolution::set_weights(const float* weights, const float* bias) {
  take_weights(forward_values_, weights);
  if (backward_data_) take_weights(backward_values_, weights);
  if (shape_.bias) bias_.assign(bias, bias + shape_.filters);
}

void Convolution::forward(const float* source, float* destination, std::byte* scratch) {
  const float* bias = shape_.bias ? bias_.data() : nullptr;
  forward_.run(stream_, source, forward_values_.storage.floats(), bias, destination, scratch);
}

void Convolution::backward_data(const float* destination_gradient, float* source_gradient,
                                std::byte* scratch) {
  backward_data_->run(stream_, source_gradient, backward_values_.storage.floats(), nullptr,
                      destination_gradient, scratch);
}

void Convolution::backward_weights(const float* source, const float* destination_gradient, float* gradient,
                                   std::byte* scratch) {
  backward_weights_->run(stream_, source, gradient_.storage.floats(), nullptr, destination_gradient, scratch);
  dnnl::memory to(canonical_weights(shape_), engine_, gradient);
  gradient_.reorder.execute(stream_, gradient_.values, to);
  stream_.wait();
}

}  // namespace whorl::nn::cpu
