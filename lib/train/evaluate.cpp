// SPDX-License-Identifier: BSD-3-Clause
#include "train/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <span>

#include "base/block_range.hpp"
#include "train/augment.hpp"

namespace whorl::train {

namespace {

constexpr double loss_unit = 1.0 / (1 << 24);
constexpr double largest_loss = 1 << 20;  // keeps the sum of 2^19 of them within 63 bits

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

/// Of one row of logits, in units of loss_unit.
std::int64_t loss_in_units(std::span<const float> logits, int label) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - highest);
  const double loss = highest + std::log(sum) - logits[static_cast<std::size_t>(label)];
  return std::llround(std::min(loss, largest_loss) / loss_unit);
}

void require_finite(std::span<const float> logits, std::int64_t sample) {
  const bool finite =
      std::all_of(logits.begin(), logits.end(), [](float logit) { return std::isfinite(logit); });
  require(finite, "the network's output for test picture {} is not finite: its weights have diverged",
          sample);
}

/// Integers that add up over pictures: the confusion matrix, then the loss.
class Counts {
 public:
  explicit Counts(int classes)
      : classes_(static_cast<std::size_t>(classes)), numbers_(classes_ * classes_ + 1) {}

  std::span<std::int64_t> numbers() { return numbers_; }
  /// `logits` has the shape (samples.size(), classes), `labels` those of the whole split.
  void add(Range samples, std::span<const float> logits, std::span<const std::int32_t> labels) {
    for (std::int64_t i = samples.begin; i < samples.end; ++i) {
      const std::span<const float> row =
          logits.subspan(static_cast<std::size_t>(i - samples.begin) * classes_, classes_);
      require_finite(row, i);
      const int label = labels[static_cast<std::size_t>(i)];
      const auto prediction = std::max_element(row.begin(), row.end()) - row.begin();
      ++numbers_[static_cast<std::size_t>(label) * classes_ + static_cast<std::size_t>(prediction)];
      numbers_.back() += loss_in_units(row, label);
    }
  }
  Evaluation evaluation() const {
    Evaluation result{static_cast<int>(classes_), 0, 0, {numbers_.begin(), numbers_.end() - 1}};
    result.samples = std::accumulate(result.confusion.begin(), result.confusion.end(), std::int64_t{0});
    if (result.samples > 0)
      result.loss = static_cast<double>(numbers_.back()) * loss_unit / static_cast<double>(result.samples);
    return result;
  }

 private:
  std::size_t classes_;
  std::vector<std::int64_t> numbers_;
};

Range part_of(Range whole, int parts, int index) {
  const Range part = block_range(whole.size(), parts, index);
  return {whole.begin + part.begin, whole.begin + part.end};
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

std::optional<Evaluation> evaluate(const dataset::Reader& reader, dataset::Split split,
                                   const nn::Network& network, Replicas& replicas, int batch,
                                   const std::string& tta, const mpi::Communicator& comm,
                                   const std::function<bool()>& stop) {
  std::vector<LogitsOfSplit> logits_of_split;
  for (int replica = 0; replica < replicas.size(); ++replica)
    logits_of_split.emplace_back(reader, split, network, replicas[replica], batch, tta);
  Counts counts(network.classes());
  std::mutex adding;
  const std::int64_t count = reader.info().count(split);
  const Range mine = block_range(count, comm.size(), comm.rank());
  const int rounds = static_cast<int>(count / (std::int64_t{batches_in_a_round} * batch * comm.size())) + 1;
  for (int round = 0; round < rounds; ++round) {
    if (stop && comm.max(stop() ? 1 : 0) > 0) return std::nullopt;
    const Range now = part_of(mine, rounds, round);
    replicas.run(replicas.size(), [&](int replica, nn::Executor&) {
      const Range part = part_of(now, replicas.size(), replica);
      for (std::int64_t begin = part.begin; begin < part.end; begin += batch) {
        const Range samples{begin, std::min(begin + batch, part.end)};
        const auto logits = logits_of_split[static_cast<std::size_t>(replica)].of(samples);
        const std::scoped_lock lock(adding);
        counts.add(samples, logits, reader.labels(split));
      }
    });
  }
  comm.sum_in_place(counts.numbers());
  return counts.evaluation();
}

}  // namespace whorl::train
