// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/convolution_plan.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace whorl::nn::cuda {

namespace {

using Dimensions = std::array<std::int64_t, 4>;

enum TensorId : std::int64_t { input_id = 1, weights_id, output_id };

cudnnDataType_t data_type(Precision precision) {
  if (precision == Precision::float16) return CUDNN_DATA_HALF;
  return precision == Precision::bfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/// `dimensions` in the order N, C, H, W; channels lie innermost.
Descriptor tensor(TensorId id, cudnnDataType_t type, const Dimensions& dimensions) {
  const auto& [n, c, h, w] = dimensions;
  Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, std::int64_t{id});
  tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
  tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::span<const std::int64_t>(dimensions));
  tensor.set(CUDNN_ATTR_TENSOR_STRIDES, std::vector<std::int64_t>{c * h * w, 1, c * w, c});
  tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16});
  tensor.finalize();
  return tensor;
}

Descriptor convolution(const ConvolutionShape& shape) {
  const std::vector<std::int64_t> padding(2, shape.padding), strides(2, shape.stride), dilations(2, 1);
  Descriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  convolution.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  convolution.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2});
  convolution.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding);
  convolution.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding);
  convolution.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, strides);
  convolution.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, dilations);
  convolution.finalize();
  return convolution;
}

/// The names of one pass's attributes.
struct PassAttributes {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t convolution, input, weights, output, alpha, beta;
};

PassAttributes attributes_of(ConvolutionPass pass) {
  switch (pass) {
    case ConvolutionPass::forward:
      break;
    case ConvolutionPass::backward_data:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    case ConvolutionPass::backward_weights:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  }
  return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
}

Descriptor operation_graph(const PlanDevice& device, const PlanRequest& request) {
  const ConvolutionShape& shape = request.shape;
  const cudnnDataType_t type = data_type(request.precision);
  const PassAttributes names = attributes_of(request.pass);
  Descriptor operation(names.operation);
  operation.set(names.convolution, convolution(shape));
  operation.set(names.input,
                tensor(input_id, type, {shape.images, shape.channels, shape.height, shape.width}));
  operation.set(
      names.weights,
      tensor(weights_id, type, {shape.filters, shape.channels, shape.kernel_height, shape.kernel_width}));
  operation.set(
      names.output,
      tensor(output_id, type, {shape.images, shape.filters, shape.output_height(), shape.output_width()}));
  operation.set(names.alpha, 1.0F);
  operation.set(names.beta, request.accumulate ? 1.0F : 0.0F);
  operation.finalize();
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  device.describe_graph(graph);
  graph.finalize();
  return graph;
}

std::vector<Descriptor> recommended(const PlanDevice& device, const Descriptor& graph,
                                    cudnnBackendHeurMode_t mode) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  device.describe_heuristics(heuristics);
  std::vector<Descriptor> configurations;
  if (!heuristics.try_finalize()) return configurations;
  for (std::int64_t i = heuristics.count<cudnnBackendDescriptor_t>(CUDNN_ATTR_ENGINEHEUR_RESULTS); i > 0; --i)
    configurations.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  heuristics.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, configurations);
  return configurations;
}

bool is_allowed(const Descriptor& configuration, Precision precision) {
  std::vector<Descriptor> engine;
  engine.emplace_back(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  configuration.get(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  const auto numerics = engine.at(0).get<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                                      CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  const auto behaviour = engine[0].get<cudnnBackendBehaviorNote_t>(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE,
                                                                   CUDNN_BEHAVIOR_NOTE_TYPE_COUNT);
  const auto has = [&](cudnnBackendNumericalNote_t note) {
    return std::find(numerics.begin(), numerics.end(), note) != numerics.end();
  };
  if (has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) || has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION))
    return false;
  // Tensor cores take float32 as tf32.
  if (precision == Precision::float32 &&
      (has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE) || has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)))
    return false;
  return std::find(behaviour.begin(), behaviour.end(), CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) ==
         behaviour.end();
}

/// Out of the plan as JSON, which ends in a zero byte.
std::string engine_of(const Descriptor& plan) {
  constexpr auto name = CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION;
  const auto text = plan.get<char>(name, plan.count<char>(name));
  const auto json = nlohmann::json::parse(text.begin(), std::find(text.begin(), text.end(), '\0'));
  std::string engine = fmt::format("engine {}", json.at("engine").at("engineId").get<int>());
  constexpr std::string_view prefix = "CUDNN_KNOB_TYPE_";
  for (const auto& [knob, value] : json.at("engine").at("knobChoices").items()) {
    const bool has_prefix = knob.starts_with(prefix);
    engine += fmt::format(" {}={}", has_prefix ? knob.substr(prefix.size()) : knob, value.dump());
  }
  return engine;
}

std::string describe(const PlanRequest& request) {
  const ConvolutionShape& shape = request.shape;
  return fmt::format(
      "{} of a {}x{} convolution, {} -> {} channels, stride {}, padding {}, on {} pictures of {}x{} in {}",
      to_string(request.pass), shape.kernel_height, shape.kernel_width, shape.channels, shape.filters,
      shape.stride, shape.padding, shape.images, shape.height, shape.width, to_string(request.precision));
}

}  // namespace

const char* to_string(ConvolutionPass pass) {
  if (pass == ConvolutionPass::forward) return "forward";
  return pass == ConvolutionPass::backward_data ? "backward-data" : "backward-weights";
}

PlanDevice::PlanDevice(const std::string& json) : properties_(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR) {
  properties_->set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, std::span<const char>(json));
  properties_->finalize();
}

void PlanDevice::describe_graph(Descriptor& operation_graph) const {
  if (handle_ != nullptr) operation_graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle_->get());
}

void PlanDevice::describe_heuristics(Descriptor& heuristics) const {
  if (properties_) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *properties_);
}

void PlanDevice::describe_plan(Descriptor& plan) const {
  if (properties_) {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *properties_);
  } else {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle_->get());
  }
}

ConvolutionPlan::ConvolutionPlan(const PlanDevice& device, const PlanRequest& request)
    : plan_(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
  const Descriptor graph = operation_graph(device, request);
  std::size_t least_workspace = SIZE_MAX;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (const Descriptor& configuration : recommended(device, graph, mode)) {
      if (!is_allowed(configuration, request.precision)) continue;
      Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
      device.describe_plan(plan);
      if (!plan.try_finalize()) continue;
      std::string engine = engine_of(plan);
      if (!request.engine.empty() && engine != request.engine) continue;
      workspace_bytes_ =
          static_cast<std::size_t>(plan.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, 1).at(0));
      least_workspace = std::min(least_workspace, workspace_bytes_);
      if (workspace_bytes_ > request.workspace_limit) continue;
      plan_ = std::move(plan);
      engine_ = std::move(engine);
      return;
    }
  }
  throw Error("cuDNN {} has no deterministic engine for {}{}{}", cudnn_version(), describe(request),
              request.engine.empty() ? "" : fmt::format(" that is {}", request.engine),
              least_workspace == SIZE_MAX ? ""
                                          : fmt::format(": the smallest workspace, {} bytes, is more than {}",
                                                        least_workspace, request.workspace_limit));
}

void ConvolutionPlan::run(const CudnnHandle& handle, const ConvolutionTensors& tensors,
                          void* workspace) const {
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::vector<std::int64_t>{input_id, weights_id, output_id});
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
           std::vector<void*>{tensors.input, tensors.weights, tensors.output});
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace);
  pack.finalize();
  check(cudnnBackendExecute(handle.get(), plan_.get(), pack.get()), "cudnnBackendExecute");
}

}  // namespace whorl::nn::cuda
