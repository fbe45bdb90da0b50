// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dataset/reader.hpp"
#include "mpi/communicator.hpp"
#include "train/replicas.hpp"

namespace whorl::train {

/// One view of a picture in test-time augmentation, and its share of the averaged logits.
struct View {
  int dy = 0, dx = 0;
  bool mirror = false;
  float weight = 1;
};

/// "none", "mirror", "airbench".
std::vector<std::string> tta_names();
/// none: the picture. mirror: the mean of picture and mirror image. airbench: half of that, half the same of
/// the picture moved by (-1,-1) and (1,1) (airbench94). Throws UsageError for another name.
std::vector<View> views_of(const std::string& tta);

/// What a network makes of a split.
struct Evaluation {
  int classes = 0;
  std::int64_t samples = 0;
  double loss = 0;                      ///< mean cross-entropy, without label smoothing
  std::vector<std::int64_t> confusion;  ///< (classes, classes): rows are labels, columns predictions
  std::int64_t correct() const;
  /// Share of right predictions, in [0, 1]; 0 of an empty split.
  double top1() const {
    return samples == 0 ? 0.0 : static_cast<double>(correct()) / static_cast<double>(samples);
  }
};

/// Evaluates every picture of a split exactly once, each replica of each rank its block_range in batches of
/// `batch` <= the executors' shard size. All sums are of integers (losses in units of 2^-24), so the result
/// depends on the number of neither. `stop` is asked now and then; where it is true on any rank, the
/// evaluation ends without a result on all. Collective; every rank gets the result.
std::optional<Evaluation> evaluate(const dataset::Reader& reader, dataset::Split split,
                                   const nn::Network& network, Replicas& replicas, int batch,
                                   const std::string& tta, const mpi::Communicator& comm,
                                   const std::function<bool()>& stop = {});

}  // namespace whorl::train
