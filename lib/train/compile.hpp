// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mpi/communicator.hpp"
#include "nn/executor.hpp"
#include "train/step_engine.hpp"

namespace whorl::train {

/// Rank 0 chooses the algorithms, and all ranks compute in that way: the same shard then has the same
/// gradient anywhere. `compile`(nn::CompileOptions) returns a pointer to something that has a plan().
/// Collective.
template <typename Compile>
auto compile_alike(const Training& training, const Compile& compile) {
  const Job& job = training.job;
  nn::CompileOptions options{.shard_size = training.plan.shard_size,
                             .label_smoothing = static_cast<float>(job.train.label_smoothing),
                             .precision = nn::precision_of(job.parallel.precision),
                             .plan = job.parallel.algorithms};
  decltype(compile(options)) compiled;
  mpi::on_root(training.comm, [&] { compiled = compile(options); });
  if (training.comm.is_root()) options.plan = compiled->plan();
  training.comm.broadcast(options.plan);
  mpi::together(training.comm, [&] {
    if (!compiled) compiled = compile(options);
  });
  return compiled;
}

}  // namespace whorl::train
