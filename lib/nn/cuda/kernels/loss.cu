// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/bodies/loss.hpp"

#include "nn/cuda/kernels/views.hpp"

namespace whorl::nn::cuda {

void cross_entropy(Storage storage, const CrossEntropy& task, const Batch& batch, Stream stream) {
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    const CrossEntropyKernel<T> kernel{.classes = task.classes,
                                       .padded_classes = task.padded_classes,
                                       .smoothing = task.smoothing,
                                       .logits = in<T>(task.logits),
                                       .labels = {task.labels},
                                       .batch = views(batch),
                                       .gradient = out<T>(task.logits_gradient),
                                       .losses = {task.losses},
                                       .correct = {task.correct}};
    launch("cross_entropy", kernel, batch.samples, stream);
  });
}

void add_loss(int samples, const float* losses, const std::int32_t* correct, LossTotals* totals,
              const std::int64_t* step, Stream stream) {
  launch("add_loss", AddLossKernel{samples, {losses}, {correct}, in_out<LossTotals>(totals), {step}}, 1,
         stream);
}

void read_logits(Storage storage, const ReadLogits& task, Stream stream) {
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    const ReadLogitsKernel<T> kernel{.samples = task.samples,
                                     .classes = task.classes,
                                     .padded_classes = task.padded_classes,
                                     .logits = in<T>(task.logits),
                                     .weight = task.weight,
                                     .add = task.add,
                                     .out = {task.out}};
    launch_for_each("read_logits", kernel, std::int64_t{task.samples} * task.classes, stream);
  });
}

void score_logits(const ScoreLogits& task, Stream stream) {
  const ScoreLogitsKernel kernel{.samples = task.samples,
                                 .classes = task.classes,
                                 .unit = task.unit,
                                 .largest_loss = task.largest_loss,
                                 .logits = {task.logits},
                                 .labels = {task.labels},
                                 .scores = {task.scores}};
  launch_for_each("score_logits", kernel, task.samples, stream);
}

}  // namespace whorl::nn::cuda
