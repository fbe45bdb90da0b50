// SPDX-License-Identifier: BSD-3-Clause
#include "nn/executor.hpp"

#include <fmt/ranges.h>

#include "base/error.hpp"
#include "nn/cpu/cpu_executor.hpp"
#ifdef WHORL_HAS_CUDNN
#include "nn/cuda/gpu_executor.hpp"
#endif
#include "nn/reference/reference_executor.hpp"

namespace whorl::nn {

std::vector<std::string> available_backends() {
#ifdef WHORL_HAS_CUDNN
  return {"reference", "cpu", "gpu"};
#else
  return {"reference", "cpu"};
#endif
}

std::unique_ptr<Executor> compile(const Network& network, const std::string& backend,
                                  const CompileOptions& options) {
  require(options.shard_size >= 1, "a shard of {} pictures: it needs at least 1", options.shard_size);
  require(options.label_smoothing >= 0 && options.label_smoothing < 1, "label smoothing {} is not in [0, 1)",
          options.label_smoothing);
#ifdef WHORL_HAS_CUDNN
  if (backend == "gpu") return make_gpu_executor(network, options);
#endif
  if (backend == "reference" || backend == "cpu") {
    require(options.precision == Precision::float32, "the backend {} computes in float32 only, not in {}",
            backend, to_string(options.precision));
    return backend == "cpu" ? make_cpu_executor(network, options) : make_reference_executor(network, options);
  }
  throw Error("there is no backend {}: this build has {}", backend, fmt::join(available_backends(), ", "));
}

}  // namespace whorl::nn
