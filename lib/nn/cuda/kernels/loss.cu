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

void read_logits(Storage storage, int samples, int classes, int padded_classes, const void* logits,
                 float* out_logits, Stream stream) {
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    launch_for_each("read_logits",
                    ReadLogitsKernel<T>{samples, classes, padded_classes, in<T>(logits), {out_logits}},
                    std::int64_t{samples} * classes, stream);
  });
}

}  // namespace whorl::nn::cuda
