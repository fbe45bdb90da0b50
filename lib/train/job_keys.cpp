// SPDX-License-Identifier: BSD-3-Clause
#include "train/job_keys.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <type_traits>

#include "collective/all_reduce.hpp"
#include "nn/executor.hpp"
#include "nn/network.hpp"
#include "train/evaluate.hpp"

namespace whorl::train {

namespace {

template <typename T>
bool parse_number(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

std::string parse_value(const std::string& text, std::string& value) {
  value = text;
  return {};
}

std::string parse_value(const std::string& text, bool& value) {
  if (text != "true" && text != "false") return "true or false";
  value = text == "true";
  return {};
}

template <typename T>
requires std::is_arithmetic_v<T> std::string parse_value(const std::string& text, T& value) {
  if (parse_number(text, value)) return {};
  if (std::is_floating_point_v<T>) return "a number";
  return std::is_signed_v<T> ? "a whole number" : "a whole number, 0 or more";
}

std::string parse_value(const std::string& text, std::vector<double>& values) {
  values.clear();
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::size_t first = std::min(text.find_first_not_of(' ', begin), end);
    if (!parse_number(std::string_view(text).substr(first, end - first), values.emplace_back()))
      return "numbers with commas between";
    begin = end + 1;
  }
  return {};
}

template <typename T>
std::string print_value(const T& value) {
  return fmt::format("{}", value);
}

std::string print_value(const std::vector<double>& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}

template <typename Section, typename Field>
JobKey key(const char* name, Section Job::*section, Field Section::*field, const char* description,
           std::vector<std::string> choices = {}) {
  return {name, description, std::move(choices),
          [=](const Job& job) { return print_value(job.*section.*field); },
          [=](Job& job, const std::string& text) { return parse_value(text, job.*section.*field); }};
}

std::vector<JobKey> network_and_training_keys() {
  using N = NetworkOptions;
  using T = TrainOptions;
  return {
      key("data.file", &Job::data, &DataOptions::file, "dataset file made by whorl-ingest; --data for short"),
      key("data.verify", &Job::data, &DataOptions::verify,
          "compare pictures with their checksums whenever they are read, all else once"),
      key("network.name", &Job::network, &N::name, "which network", nn::network_names()),
      key("network.image_size", &Job::network, &N::image_size,
          "pixels on a side of the network's input; 0: as in the dataset"),
      key("train.epochs", &Job::train, &T::epochs,
          "passes over the training pictures; a fraction ends the last one early"),
      key("train.batch", &Job::train, &T::batch, "pictures of one step, over all ranks"),
      key("train.shard", &Job::train, &T::shard, "pictures that batch-norm sees together; must divide batch"),
      key("train.seed", &Job::train, &T::seed, "of weights, order and augmentation"),
      key("train.label_smoothing", &Job::train, &T::label_smoothing,
          "share of the target spread evenly over all classes"),
      key("train.reproducible", &Job::train, &T::reproducible,
          "equal weights, bit for bit, for any number of ranks and any all-reduce: sums gradients exactly; "
          "false: sums float32, and steps stay on the GPU where there is one for all, or NCCL between them"),
      key("train.evaluate_every", &Job::train, &T::evaluate_every,
          "epochs between evaluations; 0: only after the last"),
      key("train.whitening_samples", &Job::train, &T::whitening_samples,
          "training pictures that whitening filters are made from"),
  };
}

std::vector<JobKey> optimizer_keys() {
  using O = OptimizerOptions;
  constexpr auto job = &Job::optimizer;
  return {
      key("optimizer.kind", job, &O::kind,
          "sgd: Nesterov SGD; muon: Muon for convolutions wider than 1, SGD for the rest", {"sgd", "muon"}),
      key("optimizer.loss", job, &O::loss, "gradient of the mean or of the sum over the batch",
          {"mean", "sum"}),
      key("optimizer.learning_rate", job, &O::learning_rate, "of SGD"),
      key("optimizer.bias_learning_rate", job, &O::bias_learning_rate,
          "of biases and batch-norm; 0: learning_rate"),
      key("optimizer.head_learning_rate", job, &O::head_learning_rate, "of linear layers; 0: learning_rate"),
      key("optimizer.momentum", job, &O::momentum, "of SGD"),
      key("optimizer.weight_decay", job, &O::weight_decay, "see optimizer.decay"),
      key("optimizer.decay", job, &O::decay,
          "coupled: g += wd p; decoupled: p *= 1 - lr wd; coupled-by-rate: g += (wd / initial lr) p",
          {"coupled", "decoupled", "coupled-by-rate"}),
      key("optimizer.decay_bias", job, &O::decay_bias, "also decay biases and batch-norm"),
      key("optimizer.muon_learning_rate", job, &O::muon_learning_rate, "of Muon"),
      key("optimizer.muon_momentum", job, &O::muon_momentum, "of Muon"),
      key("optimizer.muon_iterations", job, &O::muon_iterations, "Newton-Schulz iterations of Muon"),
      key("optimizer.lookahead_every", job, &O::lookahead_every, "steps between Lookahead averages; 0: none"),
      key("optimizer.lookahead_factor", job, &O::lookahead_factor, "how far the slow weights move"),
      key("optimizer.whitening_bias_epochs", job, &O::whitening_bias_epochs,
          "epochs that the whitening bias is trained; -1: all"),
  };
}

std::vector<JobKey> schedule_keys() {
  using S = ScheduleOptions;
  constexpr auto job = &Job::schedule;
  return {
      key("schedule.kind", job, &S::kind, "how the learning rate moves",
          {"constant", "step", "linear", "cosine", "triangle"}),
      key("schedule.warmup_epochs", job, &S::warmup_epochs, "epochs of linear rise before anything else"),
      key("schedule.warmup_start", job, &S::warmup_start, "factor at the first step of the warm-up"),
      key("schedule.final_factor", job, &S::final_factor, "factor at the end (linear, cosine, triangle)"),
      key("schedule.peak_at", job, &S::peak_at, "triangle: share of the training at which the factor is 1"),
      key("schedule.start_factor", job, &S::start_factor, "triangle: factor at the first step"),
      key("schedule.milestones", job, &S::milestones,
          "step: epochs, with commas between, after which the rate is multiplied by gamma"),
      key("schedule.gamma", job, &S::gamma, "step: see milestones"),
  };
}

std::vector<JobKey> augment_and_evaluate_keys() {
  using A = AugmentOptions;
  return {
      key("augment.flip", &Job::augment, &A::flip,
          "mirror pictures; alternating: all of them every other epoch", {"none", "random", "alternating"}),
      key("augment.crop_padding", &Job::augment, &A::crop_padding,
          "pixels of reflected border around which crops are drawn"),
      key("augment.random_resized_crop", &Job::augment, &A::random_resized_crop,
          "crop a random area and aspect, and resize it"),
      key("augment.min_area", &Job::augment, &A::min_area,
          "smallest share of the picture that random_resized_crop takes"),
      key("augment.cutout", &Job::augment, &A::cutout, "pixels on a side of a blanked square; 0: none"),
      key("evaluate.tta", &Job::evaluate, &EvaluateOptions::tta,
          "test-time augmentation of the final evaluation", tta_names()),
  };
}

std::vector<std::string> all_reduce_names() {
  std::vector<std::string> names = collective::available_algorithms();
  names.insert(names.begin(), "auto");
  return names;
}

std::vector<JobKey> parallel_keys() {
  using P = ParallelOptions;
  constexpr auto job = &Job::parallel;
  return {
      key("parallel.device", job, &P::device, "backend that computes; --device for short"),
      key("parallel.precision", job, &P::precision,
          "of activations and convolutions on a GPU; parameters, statistics and the gradients' sums are "
          "float32",
          nn::precision_names()),
      key("parallel.share_gpu", job, &P::share_gpu, "lets ranks of one node share a GPU, for tests"),
      key("parallel.threads", job, &P::threads,
          "of each rank, that compute a shard each; 0: OMP_NUM_THREADS where it is set, else one for each of "
          "the rank's cores"),
      key("parallel.algorithms", job, &P::algorithms,
          "of convolutions; fixed: chosen by rule, so that equal runs give equal weights; measured: the "
          "fastest, timed at the start; direct: never Winograd",
          {"fixed", "measured", "direct"}),
      key("parallel.all_reduce", job, &P::all_reduce,
          "how gradients are summed over the ranks; auto: the fastest here, timed at the start",
          all_reduce_names()),
      key("parallel.nccl_algorithm", job, &P::nccl_algorithm,
          "of nccl (NCCL_ALGO): ring and tree add in the same order in every run on the same nodes; auto: "
          "NCCL's choice, or its own variables', which may add in another order from run to run (NVLS)",
          {"ring", "tree", "auto"}),
      key("parallel.progress", job, &P::progress,
          "what moves sums on during the backward pass; polling: looks after them between layers; thread: "
          "one of its own, for networks that are slow compared with a layer",
          {"polling", "thread"}),
      key("parallel.bucket_bytes", job, &P::bucket_bytes,
          "gradients that are summed at a time, while backward goes on"),
      key("parallel.watchdog", job, &P::watchdog,
          "seconds after which a rank that does not answer ends the job, 2 or more; 0: never"),
      key("parallel.chunk_bytes", job, &P::chunk_bytes,
          "largest message of ring, hierarchical and central; 0: 384 KiB on one node, 60 KiB on several"),
  };
}

std::vector<JobKey> checkpoint_keys() {
  using C = CheckpointOptions;
  constexpr auto job = &Job::checkpoint;
  return {
      key("checkpoint.epochs", job, &C::epochs, "epochs between checkpoints; 0: none for epochs"),
      key("checkpoint.seconds", job, &C::seconds,
          "seconds between checkpoints, also within epochs; 0: none for time"),
      key("checkpoint.keep", job, &C::keep, "how many checkpoints are kept, the last ones"),
  };
}

std::vector<JobKey> all_keys() {
  std::vector<JobKey> keys;
  for (auto part : {network_and_training_keys(), optimizer_keys(), schedule_keys(),
                    augment_and_evaluate_keys(), parallel_keys(), checkpoint_keys()}) {
    keys.insert(keys.end(), part.begin(), part.end());
  }
  return keys;
}

}  // namespace

const std::vector<JobKey>& job_keys() {
  static const std::vector<JobKey> keys = all_keys();
  return keys;
}

}  // namespace whorl::train
