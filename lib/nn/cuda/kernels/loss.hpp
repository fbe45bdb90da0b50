// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/pictures.hpp"
#include "nn/cuda/kernels/types.hpp"

namespace whorl::nn::cuda {

/// Cross-entropy between softmax(logits) and (1 - smoothing) one-hot + smoothing / classes.
struct CrossEntropy {
  int classes = 0, padded_classes = 0;
  float smoothing = 0;
  const void* logits = nullptr;          ///< (samples, padded_classes), storage type
  const std::int32_t* labels = nullptr;  ///< of all pictures; a label outside [0, classes) makes the loss NaN
  void* logits_gradient = nullptr;       ///< out, as the logits, of the summed loss; padding 0
  float* losses = nullptr;               ///< out, (samples)
  std::int32_t* correct =
      nullptr;  ///< out, (samples): 1 where the first of the largest logits is the label's
};
void cross_entropy(Storage storage, const CrossEntropy& task, const Batch& batch, Stream stream);

/// Sums over batches, in GPU memory until somebody asks.
struct LossTotals {
  double loss = 0;
  std::int64_t correct = 0;
};
/// *Adds* a batch's losses and hits to totals[*step]; a null step is 0.
void add_loss(int samples, const float* losses, const std::int32_t* correct, LossTotals* totals,
              const std::int64_t* step, Stream stream);

/// Logits for people, averaged over views: out = weight * logits, or out += that.
struct ReadLogits {
  int samples = 0, classes = 0, padded_classes = 0;
  const void* logits = nullptr;  ///< (samples, padded_classes), storage type
  float weight = 1;
  bool add = false;      ///< adds to what is in out instead
  float* out = nullptr;  ///< out, (samples, classes)
};
void read_logits(Storage storage, const ReadLogits& task, Stream stream);

/// What logits come to.
struct Score {
  std::int64_t loss = 0;        ///< cross-entropy without smoothing, in units
  std::int64_t prediction = 0;  ///< the first class of the largest logit; -1 where one is not finite
};
struct ScoreLogits {
  int samples = 0, classes = 0;
  const float* logits = nullptr;         ///< (samples, classes)
  const std::int32_t* labels = nullptr;  ///< (samples), in [0, classes)
  double unit = 1, largest_loss = 1;     ///< of losses; larger ones count as the largest
  Score* scores = nullptr;               ///< out, (samples)
};
void score_logits(const ScoreLogits& task, Stream stream);

}  // namespace whorl::nn::cuda
