// SPDX-License-Identifier: BSD-3-Clause
#include "nn/executor.hpp"

#include <fmt/ranges.h>

#include "base/error.hpp"
#include "nn/cpu/cpu_executor.hpp"
#include "nn/reference/reference_executor.hpp"

namespace whorl::nn {

std::vector<std::string> available_backends() {
  return {"reference", "cpu"};
}

std::unique_ptr<Executor> compile(const Network& network, const std::string& backend,
                                  const CompileOptions& options) {
  require(options.shard_size >= 1, "a shard of {} pictures: it needs at least 1", options.shard_size);
  require(options.threads >= 1, "{} threads: an executor needs at least 1", options.threads);
  require(options.label_smoothing >= 0 && options.label_smoothing < 1, "label smoothing {} is not in [0, 1)",
          options.label_smoothing);
  if (backend == "reference") return make_reference_executor(network, options);
  if (backend == "cpu") return make_cpu_executor(network, options);
  throw Error("there is no backend {}: this build has {}", backend, fmt::join(available_backends(), ", "));
}

}  // namespace whorl::nn
