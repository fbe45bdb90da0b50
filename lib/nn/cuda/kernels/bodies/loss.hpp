// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <math.h>

#include "nn/cuda/kernels/bodies/channels.hpp"
#include "nn/cuda/kernels/bodies/pictures.hpp"
#include "nn/cuda/kernels/loss.hpp"

// for each sample, with K classes, target[k] = (k == label ? 1 - smoothing : 0) + smoothing / K:
//   log_sum = log(sum_k exp(z[k]))
//   loss = sum_k target[k] * (log_sum - z[k]);  dz[k] = exp(z[k] - log_sum) - target[k]
// One warp makes a sample. Bytes: logits and their gradient once; FLOPs: 10 K and 2 K exponentials.
namespace whorl::nn::cuda {

template <typename T>
struct CrossEntropyKernel {
  static constexpr int threads = 32;
  struct Shared {
    Array<float, threads> largest, exponentials, logits;
    Array<int, threads> winner;
  };
  int classes, padded_classes;
  float smoothing;
  In<T> logits;
  In<std::int32_t> labels;
  BatchViews batch;
  Out<T> gradient;
  Out<float> losses;
  Out<std::int32_t> correct;

  /// The block is the sample's.
  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    const int sample = block.index();
    const std::int64_t row = std::int64_t{sample} * padded_classes;
    find_largest(block, shared, row);
    block.phase([&](int thread) {
      float exponentials = 0, sum = 0;
      for (int k = thread; k < classes; k += threads) {
        exponentials += expf(logits[row + k] - shared.largest[0]);
        sum += logits[row + k];
      }
      shared.exponentials[thread] = exponentials;
      shared.logits[thread] = sum;
    });
    add_by_tree(block, shared.exponentials, 1);
    add_by_tree(block, shared.logits, 1);
    block.phase([&](int thread) {
      const int label = labels.at(batch[sample].picture);
      const bool is_class = label >= 0 && label < classes;
      const float log_sum = shared.largest[0] + logf(shared.exponentials[0]);
      const float share = smoothing / static_cast<float>(classes);
      for (int k = thread; k < padded_classes; k += threads) {
        const float target = (k == label ? 1 - smoothing : 0) + share;
        gradient.set(row + k, k < classes ? expf(logits[row + k] - log_sum) - target : 0);
      }
      if (thread > 0) return;
      const float label_loss = log_sum - (is_class ? logits[row + label] : NAN);
      losses.set(sample, (1 - smoothing) * label_loss +
                             share * (static_cast<float>(classes) * log_sum - shared.logits[0]));
      correct.put(sample, shared.winner[0] == label ? 1 : 0);
    });
  }

  /// The largest logit and the first class that has it, at index 0 of the shared arrays.
  WHORL_DEVICE void find_largest(Block& block, Shared& shared, std::int64_t row) const {
    block.phase([&](int thread) {
      float largest = -INFINITY;
      int winner = classes;
      for (int k = thread; k < classes; k += threads) {
        if (winner < classes && !(logits[row + k] > largest)) continue;
        largest = logits[row + k];
        winner = k;
      }
      shared.largest[thread] = largest;
      shared.winner[thread] = winner;
    });
    for (int half = threads / 2; half > 0; half /= 2) {
      block.phase([&](int thread) {
        if (thread >= half) return;
        const float other = shared.largest[thread + half];
        const bool is_equal_and_earlier =
            other == shared.largest[thread] && shared.winner[thread + half] < shared.winner[thread];
        if (!(other > shared.largest[thread]) && !is_equal_and_earlier) return;
        shared.largest[thread] = other;
        shared.winner[thread] = shared.winner[thread + half];
      });
    }
  }
};

/// totals[*step] += losses and hits of a batch. One block; bytes: 8 for each sample.
struct AddLossKernel {
  static constexpr int threads = 256;
  struct Shared {
    Array<double, threads> loss;
    Array<std::int64_t, threads> correct;
  };
  int samples;
  In<float> losses;
  In<std::int32_t> correct;
  InOut<LossTotals> totals;
  In<std::int64_t> step;

  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    block.phase([&](int thread) {
      double loss = 0;
      std::int64_t hits = 0;
      for (int sample = thread; sample < samples; sample += threads) {
        loss += static_cast<double>(losses[sample]);
        hits += correct.at(sample);
      }
      shared.loss[thread] = loss;
      shared.correct[thread] = hits;
    });
    add_by_tree(block, shared.loss, 1);
    add_by_tree(block, shared.correct, 1);
    block.phase([&](int thread) {
      if (thread > 0) return;
      const std::int64_t now = step ? step.at(0) : 0;
      const LossTotals before = totals.at(now);
      totals.put(now, {before.loss + shared.loss[0], before.correct + shared.correct[0]});
    });
  }
};

template <typename T>
struct ReadLogitsKernel {
  static constexpr int threads = 256;
  using Shared = Nothing;
  int samples, classes, padded_classes;
  In<T> logits;
  float weight;
  bool add;
  InOut<float> out;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const std::int64_t i = global_thread<ReadLogitsKernel>(block, thread);
      if (i >= std::int64_t{samples} * classes) return;
      const float logit = weight * logits[i / classes * padded_classes + i % classes];
      out.set(i, add ? out[i] + logit : logit);
    });
  }
};

/// for each sample: prediction = argmax_k z[k];  loss = max_k z[k] + log(sum_k exp(z[k] - max)) - z[label]
/// One thread scores a sample, in double as the host does. Bytes: 4 for each logit, 20 for each sample;
/// FLOPs: 3 K and K exponentials.
struct ScoreLogitsKernel {
  static constexpr int threads = 64;  // so that a few thousand samples spread over the GPU
  using Shared = Nothing;
  int samples, classes;
  double unit, largest_loss;
  In<float> logits;
  In<std::int32_t> labels;
  Out<Score> scores;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const std::int64_t sample = global_thread<ScoreLogitsKernel>(block, thread);
      if (sample >= samples) return;
      const std::int64_t row = sample * classes;
      int winner = 0;
      bool are_finite = true;
      for (int k = 0; k < classes; ++k) {
        const float logit = logits[row + k];
        are_finite = are_finite && logit - logit == 0;
        if (logit > logits[row + winner]) winner = k;
      }
      if (!are_finite) return scores.put(sample, {0, -1});
      const auto largest = static_cast<double>(logits[row + winner]);
      double sum = 0;
      for (int k = 0; k < classes; ++k) sum += exp(static_cast<double>(logits[row + k]) - largest);
      const double loss = largest + log(sum) - static_cast<double>(logits[row + labels.at(sample)]);
      scores.put(sample, {llround((loss < largest_loss ? loss : largest_loss) / unit), winner});
    });
  }
};

}  // namespace whorl::nn::cuda
