// SPDX-License-Identifier: BSD-3-Clause
// Takes the place of nn/cuda/convolution_plan.cpp: the passes as plain loops.
#include <sstream>
#include <vector>

#include "base/error.hpp"
#include "nn/cuda/convolution_plan.hpp"
#include "nn/cuda/kernels/bodies/element.hpp"
#include "nn/cuda/kernels/emulator/queue.hpp"

namespace whorl::nn::cuda {

namespace {

/// A request as the text that takes the place of an engine's name.
std::string text_of(const PlanRequest& request) {
  const ConvolutionShape& s = request.shape;
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {}", int(request.pass), int(request.precision),
                     int(request.accumulate), s.images, s.channels, s.height, s.width, s.filters,
                     s.kernel_height, s.kernel_width, s.stride, s.padding);
}

PlanRequest request_of(const std::string& text) {
  PlanRequest request;
  ConvolutionShape& s = request.shape;
  int pass = 0, precision = 0, accumulate = 0;
  std::istringstream(text) >> pass >> precision >> accumulate >> s.images >> s.channels >> s.height >>
      s.width >> s.filters >> s.kernel_height >> s.kernel_width >> s.stride >> s.padding;
  request.pass = ConvolutionPass(pass);
  request.precision = Precision(precision);
  request.accumulate = accumulate != 0;
  return request;
}

/// Calls visit(index in the input, in the weights, in the output) for all three that meet.
template <typename Visit>
void for_each_product(const ConvolutionShape& s, const Visit& visit) {
  for (std::int64_t n = 0; n < s.images; ++n)
    for (std::int64_t y = 0; y < s.output_height(); ++y)
      for (std::int64_t x = 0; x < s.output_width(); ++x)
        for (std::int64_t ky = 0; ky < s.kernel_height; ++ky)
          for (std::int64_t kx = 0; kx < s.kernel_width; ++kx) {
            const std::int64_t row = y * s.stride + ky - s.padding, column = x * s.stride + kx - s.padding;
            if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
            const std::int64_t input = ((n * s.height + row) * s.width + column) * s.channels;
            const std::int64_t output = ((n * s.output_height() + y) * s.output_width() + x) * s.filters;
            for (std::int64_t filter = 0; filter < s.filters; ++filter) {
              const std::int64_t weight =
                  ((filter * s.kernel_height + ky) * s.kernel_width + kx) * s.channels;
              for (std::int64_t c = 0; c < s.channels; ++c) visit(input + c, weight + c, output + filter);
            }
          }
}

template <typename T>
std::vector<double> numbers(const void* data, std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(double{to_float(static_cast<const T*>(data)[i])});
  return values;
}

template <typename T>
void store(const std::vector<double>& values, bool accumulate, void* data) {
  T* to = static_cast<T*>(data);
  for (std::size_t i = 0; i < values.size(); ++i)
    from_float(static_cast<float>(values[i] + (accumulate ? double{to_float(to[i])} : 0)), to[i]);
}

template <typename T>
void compute(const PlanRequest& request, const ConvolutionTensors& tensors) {
  const ConvolutionShape& s = request.shape;
  const std::int64_t inputs = s.images * s.height * s.width * s.channels;
  const std::int64_t outputs = s.images * s.output_height() * s.output_width() * s.filters;
  using Numbers = std::vector<double>;
  Numbers x(static_cast<std::size_t>(inputs)), w(static_cast<std::size_t>(s.weights())),
      y(static_cast<std::size_t>(outputs));
  if (request.pass != ConvolutionPass::backward_data) x = numbers<T>(tensors.input, inputs);
  if (request.pass != ConvolutionPass::backward_weights) w = numbers<T>(tensors.weights, s.weights());
  if (request.pass != ConvolutionPass::forward) y = numbers<T>(tensors.output, outputs);
  switch (request.pass) {
    case ConvolutionPass::forward:
      for_each_product(s, [&](auto i, auto j, auto k) { y[k] += x[i] * w[j]; });
      return store<T>(y, request.accumulate, tensors.output);
    case ConvolutionPass::backward_data:
      for_each_product(s, [&](auto i, auto j, auto k) { x[i] += y[k] * w[j]; });
      return store<T>(x, request.accumulate, tensors.input);
    case ConvolutionPass::backward_weights:
      for_each_product(s, [&](auto i, auto j, auto k) { w[j] += y[k] * x[i]; });
      return store<T>(w, request.accumulate, tensors.weights);
  }
}

}  // namespace

const char* to_string(ConvolutionPass pass) {
  if (pass == ConvolutionPass::forward) return "forward";
  return pass == ConvolutionPass::backward_data ? "backward-data" : "backward-weights";
}

PlanDevice::PlanDevice(const std::string&) {}

ConvolutionPlan::ConvolutionPlan(const PlanDevice&, const PlanRequest& request)
    : plan_(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR), engine_(text_of(request)), workspace_bytes_(131) {
  require(request.engine.empty() || request.engine == engine_, "another engine is asked for");
}

void ConvolutionPlan::run(const CudnnHandle& handle, const ConvolutionTensors& tensors,
                          void* workspace) const {
  require(workspace != nullptr, "no workspace is given");
  cudaStream_t stream = nullptr;
  check(cudnnGetStream(handle.get(), &stream), "cudnnGetStream");
  emulator::queue(stream, [tensors, request = request_of(engine_)] {
    if (request.precision == Precision::float16) return compute<Half>(request, tensors);
    if (request.precision == Precision::bfloat16) return compute<BFloat16>(request, tensors);
    compute<float>(request, tensors);
  });
}

}  // namespace whorl::nn::cuda
