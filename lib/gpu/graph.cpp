// SPDX-License-Identifier: BSD-3-Clause
#include "gpu/graph.hpp"

#include "gpu/check.hpp"

namespace whorl::gpu {

namespace {

struct GraphTraits {
  static cudaGraph_t invalid() { return nullptr; }
  static void release(cudaGraph_t graph) noexcept { cudaGraphDestroy(graph); }
};
using CapturedGraph = UniqueHandle<cudaGraph_t, GraphTraits>;

CapturedGraph end_capture(const Stream& stream) {
  cudaGraph_t graph = nullptr;
  const cudaError_t code = cudaStreamEndCapture(stream.get(), &graph);
  CapturedGraph captured(graph);
  check(code, "cudaStreamEndCapture");
  return captured;
}

}  // namespace

Graph::Graph(const Stream& stream, const std::function<void()>& queue) {
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  try {
    queue();
  } catch (...) {  // the stream must not go on capturing; what has gone wrong first is what counts
    cudaGraph_t broken = nullptr;
    if (cudaStreamEndCapture(stream.get(), &broken) == cudaSuccess) cudaGraphDestroy(broken);
    throw;
  }
  const CapturedGraph captured = end_capture(stream);
  cudaGraphExec_t graph = nullptr;
  check(cudaGraphInstantiate(&graph, captured.get(), 0), "cudaGraphInstantiate");
  graph_.reset(graph);
}

void Graph::launch(const Stream& stream) {
  check(cudaGraphLaunch(graph_.get(), stream.get()), "cudaGraphLaunch");
}

void Graph::Traits::release(cudaGraphExec_t graph) noexcept {
  cudaGraphExecDestroy(graph);
}

}  // namespace whorl::gpu
