// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/gpu_evaluation.hpp"

#include <algorithm>
#include <numeric>

#include "gpu/copies.hpp"

namespace whorl::train {

using nn::cuda::PictureView;

GpuEvaluation::GpuEvaluation(const Training& training, nn::cuda::GpuNetwork& network)
    : training_(training), network_(network), stream_(network.device().stream) {
  const auto shard = static_cast<std::size_t>(training.plan.shard_size);
  const dataset::Info& info = training.reader.info();
  const Range part = evaluated_part(info.test_count, training.plan.shard_size, training.comm);
  pixels_ = gpu::DeviceMemory(shard * info.image_bytes(), "test pictures");
  labels_ = gpu::DeviceMemory(shard * sizeof(std::int32_t), "test labels");
  logits_ = gpu::DeviceMemory(shard * training.network.classes() * sizeof(float), "logits");
  views_ = gpu::DeviceMemory(views_of(training.job.evaluate.tta).size() * shard * sizeof(PictureView),
                             "views of test pictures");
  scores_ = gpu::DeviceMemory(static_cast<std::size_t>(part.size()) * sizeof(nn::cuda::Score), "scores");
}

void GpuEvaluation::add(Range samples, const std::vector<View>& views, EvaluationCounts& counts) {
  const std::int64_t shard = training_.plan.shard_size;
  upload_views(views);
  std::size_t turn = 0;
  for (std::int64_t begin = samples.begin; begin < samples.end; begin += shard, ++turn) {
    queue_shard({begin, std::min(begin + shard, samples.end)}, pinned_[turn % 2], views,
                scores_.as<nn::cuda::Score>() + (begin - samples.begin));
  }
  const auto labels = training_.reader.labels(dataset::Split::test);
  std::int64_t sample = samples.begin;
  for (const auto& [loss, prediction] :
       gpu::download(scores_.as<nn::cuda::Score>(), static_cast<std::size_t>(samples.size()), stream_)) {
    counts.add(sample, labels[static_cast<std::size_t>(sample)], {.loss = loss, .prediction = prediction});
    ++sample;
  }
}

void GpuEvaluation::upload_views(const std::vector<View>& views) {
  std::vector<PictureView> of_shards;
  for (const View& view : views) {
    for (std::int32_t picture = 0; picture < training_.plan.shard_size; ++picture) {
      of_shards.push_back({picture, static_cast<std::int16_t>(view.dy), static_cast<std::int16_t>(view.dx),
                           view.mirror ? 1 : 0});
    }
  }
  gpu::upload<PictureView>(of_shards, views_.as<PictureView>(), stream_);
}

/// Behind the last picture, a shard holds what was there before.
void GpuEvaluation::queue_shard(Range samples, Pinned& pinned, const std::vector<View>& views,
                                nn::cuda::Score* scores) {
  const int shard = training_.plan.shard_size, classes = training_.network.classes();
  std::vector<std::int64_t> indices(static_cast<std::size_t>(samples.size()));
  std::iota(indices.begin(), indices.end(), samples.begin);
  pinned.copied.wait();
  pinned.pictures.read(training_.reader, dataset::Split::test, indices, classes);
  pinned.pictures.copy(pixels_.as<std::uint8_t>(), labels_.as<std::int32_t>(), stream_);
  pinned.copied.record(stream_);
  for (std::size_t v = 0; v < views.size(); ++v) {
    const nn::cuda::Batch batch{.samples = shard,
                                .views = views_.as<PictureView>() + static_cast<std::ptrdiff_t>(v) * shard};
    network_.forward(pixels_.as<std::uint8_t>(), batch, false);
    network_.read_logits(logits_.as<float>(), views[v].weight, v > 0);
  }
  nn::cuda::score_logits({.samples = static_cast<int>(samples.size()),
                          .classes = classes,
                          .logits = logits_.as<float>(),
                          .labels = labels_.as<std::int32_t>(),
                          .unit = Score::unit,
                          .largest_loss = Score::largest_loss,
                          .scores = scores},
                         stream_.get());
}

}  // namespace whorl::train
