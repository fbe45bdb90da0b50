// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/block_range.hpp"
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

/// What a network makes of one picture.
struct Score {
  static constexpr double unit = 1.0 / (1 << 24);
  static constexpr double largest_loss = 1 << 20;  ///< keeps the sum of 2^19 of them within 63 bits
  std::int64_t loss = 0;                           ///< in units, at most the largest
  std::int64_t prediction = 0;                     ///< -1: the network's output is not finite
};

/// Integers that add up over pictures: the confusion matrix, then the loss.
class EvaluationCounts {
 public:
  explicit EvaluationCounts(int classes)
      : classes_(static_cast<std::size_t>(classes)), numbers_(classes_ * classes_ + 1) {}
  /// Throws Error, naming the sample, where it has no prediction.
  void add(std::int64_t sample, int label, const Score& score);
  std::span<std::int64_t> numbers() { return numbers_; }
  Evaluation evaluation() const;

 private:
  std::size_t classes_;
  std::vector<std::int64_t> numbers_;
};

/// The part of `count` pictures that this rank evaluates: whole batches, but for the last one.
Range evaluated_part(std::int64_t count, int batch, const mpi::Communicator& comm);

/// An evaluation by whatever computes: `add` is called for parts of this rank's part, of some batches each,
/// which always begin at multiples of `batch`: where in a batch a picture stands, on which the last bits of
/// its logits depend, is the same for any number of ranks. `stop` is asked between them; where it is true on
/// any rank, the evaluation ends without a result on all. Collective; every rank gets the result.
std::optional<Evaluation> evaluate_by_parts(
    const dataset::Reader& reader, dataset::Split split, int classes, int batch,
    const mpi::Communicator& comm, const std::function<bool()>& stop,
    const std::function<void(Range samples, EvaluationCounts& counts)>& add);

/// Evaluates every picture of a split exactly once, each replica of each rank its part in batches of `batch`
/// <= the executors' shard size. All sums are of integers (losses in units of 2^-24), so the result depends
/// on the number of neither. `stop` as above. Collective; every rank gets the result.
std::optional<Evaluation> evaluate(const dataset::Reader& reader, dataset::Split split,
                                   const nn::Network& network, Replicas& replicas, int batch,
                                   const std::string& tta, const mpi::Communicator& comm,
                                   const std::function<bool()>& stop = {});

}  // namespace whorl::train
