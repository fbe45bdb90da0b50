// SPDX-License-Identifier: BSD-3-Clause
#include "train/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <span>

#include "train/augment.hpp"

namespace whorl::train {

namespace {

/// Between two looks at whether to stop, by rank.
constexpr int batches_in_a_round = 32;

/// Pictures of a split in the network's size, and their logits averaged over views.
class LogitsOfSplit {
 public:
  LogitsOfSplit(const dataset::Reader& reader, dataset::Split split, const nn::Network& network,
                nn::Executor& executor, int batch, const std::string& tta)
      : reader_(reader),
        split_(split),
        executor_(executor),
        views_(views_of(tta)),
        stored_size_(reader.info().image_size),
        size_(network.input.height),
        classes_(network.classes()),
        resizer_({}, stored_size_, size_, reader.info().channel_mean.data(), 0),
        stored_(reader.info().image_bytes() * batch),
        pictures_(network.input.count() * batch),
        shifted_(pictures_.size()),
        view_logits_(std::size_t(classes_) * batch),
        logits_(view_logits_.size()) {}

  /// Shape (samples.size(), classes); holds until the next call.
  std::span<const float> of(Range samples) {
    const std::size_t count = static_cast<std::size_t>(samples.size());
    read(samples);
    const std::span<float> sum = std::span(logits_).first(count * classes_);
    const std::span<float> one = std::span(view_logits_).first(count * classes_);
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (const View& view : views_) {
      executor_.infer(pictures_as(view, count), one);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += view.weight * one[i];
    }
    return sum;
  }

 private:
  std::size_t picture_bytes() const { return std::size_t(size_) * size_ * 3; }

  void read(Range samples) {
    std::vector<std::int64_t> indices(static_cast<std::size_t>(samples.size()));
    std::iota(indices.begin(), indices.end(), samples.begin);
    reader_.read_images(split_, indices, stored_.data());
    reader_.require_unchanged();
    for (std::size_t i = 0; i < indices.size(); ++i) {
      resizer_.evaluation_view(&stored_[i * reader_.info().image_bytes()], &pictures_[i * picture_bytes()]);
    }
  }

  std::span<const std::uint8_t> pictures_as(const View& view, std::size_t count) {
    const std::size_t bytes = count * picture_bytes();
    if (view.dy == 0 && view.dx == 0 && !view.mirror) return std::span(pictures_).first(bytes);
    for (std::size_t at = 0; at < bytes; at += picture_bytes()) {
      shifted_view(&pictures_[at], size_, view.dy, view.dx, view.mirror, &shifted_[at]);
    }
    return std::span(shifted_).first(bytes);
  }

  const dataset::Reader& reader_;
  dataset::Split split_;
  nn::Executor& executor_;
  std::vector<View> views_;
  int stored_size_, size_, classes_;
  Augmenter resizer_;
  std::vector<std::uint8_t> stored_, pictures_, shifted_;
  std::vector<float> view_logits_, logits_;
};

Score score_of(std::span<const float> logits, int label) {
  if (!std::all_of(logits.begin(), logits.end(), [](float logit) { return std::isfinite(logit); }))
    return {.loss = 0, .prediction = -1};
  const auto winner = std::max_element(logits.begin(), logits.end());
  const double highest = *winner;
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - highest);
  const double loss = highest + std::log(sum) - logits[static_cast<std::size_t>(label)];
  return {.loss = std::llround(std::min(loss, Score::largest_loss) / Score::unit),
          .prediction = winner - logits.begin()};
}

/// Of [whole.begin, whole.end), whose first picture begins a batch: whole batches, but for the last one.
Range part_of(Range whole, int batch, int parts, int index) {
  const Range batches = block_range((whole.size() + batch - 1) / batch, parts, index);
  const auto sample = [&](std::int64_t number) { return std::min(whole.begin + number * batch, whole.end); };
  return {sample(batches.begin), sample(batches.end)};
}

}  // namespace

std::vector<std::string> tta_names() {
  return {"none", "mirror", "airbench"};
}

std::vector<View> views_of(const std::string& tta) {
  if (tta == "none") return {{}};
  if (tta == "mirror") return {{0, 0, false, 0.5f}, {0, 0, true, 0.5f}};
  if (tta == "airbench") {
    return {{0, 0, false, 0.25f},   {0, 0, true, 0.25f},   {-1, -1, false, 0.125f},
            {-1, -1, true, 0.125f}, {1, 1, false, 0.125f}, {1, 1, true, 0.125f}};
  }
  throw UsageError("evaluate.tta = '{}' is unknown; there are: {}", tta, fmt::join(tta_names(), ", "));
}

std::int64_t Evaluation::correct() const {
  std::int64_t sum = 0;
  for (int c = 0; c < classes; ++c) sum += confusion[std::size_t(c) * classes + c];
  return sum;
}

void EvaluationCounts::add(std::int64_t sample, int label, const Score& score) {
  require(score.prediction >= 0,
          "the network's output for test picture {} is not finite: its weights have diverged", sample);
  ++numbers_[static_cast<std::size_t>(label) * classes_ + static_cast<std::size_t>(score.prediction)];
  numbers_.back() += score.loss;
}

Evaluation EvaluationCounts::evaluation() const {
  Evaluation result{static_cast<int>(classes_), 0, 0, {numbers_.begin(), numbers_.end() - 1}};
  result.samples = std::accumulate(result.confusion.begin(), result.confusion.end(), std::int64_t{0});
  if (result.samples > 0)
    result.loss = static_cast<double>(numbers_.back()) * Score::unit / static_cast<double>(result.samples);
  return result;
}

Range evaluated_part(std::int64_t count, int batch, const mpi::Communicator& comm) {
  return part_of({0, count}, batch, comm.size(), comm.rank());
}

std::optional<Evaluation> evaluate_by_parts(
    const dataset::Reader& reader, dataset::Split split, int classes, int batch,
    const mpi::Communicator& comm, const std::function<bool()>& stop,
    const std::function<void(Range samples, EvaluationCounts& counts)>& add) {
  EvaluationCounts counts(classes);
  const std::int64_t count = reader.info().count(split);
  const Range mine = evaluated_part(count, batch, comm);
  const int rounds = static_cast<int>(count / (std::int64_t{batches_in_a_round} * batch * comm.size())) + 1;
  for (int round = 0; round < rounds; ++round) {
    if (stop && comm.max(stop() ? 1 : 0) > 0) return std::nullopt;
    add(part_of(mine, batch, rounds, round), counts);
  }
  comm.sum_in_place(counts.numbers());
  return counts.evaluation();
}

std::optional<Evaluation> evaluate(const dataset::Reader& reader, dataset::Split split,
                                   const nn::Network& network, Replicas& replicas, int batch,
                                   const std::string& tta, const mpi::Communicator& comm,
                                   const std::function<bool()>& stop) {
  const auto classes = static_cast<std::size_t>(network.classes());
  const auto labels = reader.labels(split);
  std::vector<LogitsOfSplit> logits_of_split;
  for (int replica = 0; replica < replicas.size(); ++replica)
    logits_of_split.emplace_back(reader, split, network, replicas[replica], batch, tta);
  std::mutex adding;
  const auto add = [&](Range now, EvaluationCounts& counts) {
    replicas.run(replicas.size(), [&](int replica, nn::Executor&) {
      const Range part = part_of(now, batch, replicas.size(), replica);
      for (std::int64_t begin = part.begin; begin < part.end; begin += batch) {
        const Range samples{begin, std::min(begin + batch, part.end)};
        const auto logits = logits_of_split[static_cast<std::size_t>(replica)].of(samples);
        const std::scoped_lock lock(adding);
        for (std::int64_t i = begin; i < samples.end; ++i) {
          const int label = labels[static_cast<std::size_t>(i)];
          const auto row = logits.subspan(static_cast<std::size_t>(i - begin) * classes, classes);
          counts.add(i, label, score_of(row, label));
        }
      }
    });
  };
  return evaluate_by_parts(reader, split, network.classes(), batch, comm, stop, add);
}

}  // namespace whorl::train
