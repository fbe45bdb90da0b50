// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/gpu_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/activity.hpp"
#include "base/block_range.hpp"
#include "base/error.hpp"
#include "gpu/copies.hpp"
#include "gpu/graph.hpp"
#include "gpu/range.hpp"
#include "nn/cuda/gpu_network.hpp"
#include "nn/cuda/kernels/digest.hpp"
#include "train/buckets.hpp"
#include "train/compile.hpp"
#include "train/cuda/epoch_draws.hpp"
#include "train/cuda/gpu_evaluation.hpp"
#include "train/cuda/gpu_optimizer.hpp"
#include "train/cuda/gpu_pictures.hpp"
#include "train/cuda/gpu_sum.hpp"
#include "train/phase.hpp"

namespace whorl::train {

namespace {

using nn::cuda::Batch;
using nn::cuda::DigestPart;
using nn::cuda::GpuNetwork;
using nn::cuda::LossTotals;
using nn::cuda::PictureView;

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// A step's work, launched in turns with another's: while one runs, the times of the last launch of the other
/// can be read.
struct Slot {
  std::optional<gpu::Graph> graph;
  std::vector<gpu::Event> marks;      ///< start; forward and backward of each shard; sums; update
  std::vector<gpu::Event> sum_marks;  ///< begin and end of each bucket's sum over the ranks
  gpu::Event done;
  bool is_running = false;
};

class GpuEngine final : public StepEngine {
 public:
  GpuEngine(const Training& training, const std::vector<float>& parameters);

  void begin_epoch(const EpochSteps& steps) override;
  Requests step(Requests own) override;
  void end_epoch() override;

  LossSums take_sums() override { return std::exchange(sums_, {}); }
  void add_times(mpi::PhaseTimer& timer) override;
  std::string digest() override { return digest_; }
  std::vector<float> parameters() override {
    return gpu::download(device_.parameters.as<float>(), floats(), device_.stream);
  }
  void save(State& state) override;
  void restore(const State& state) override;
  std::optional<Evaluation> evaluate(const std::string& tta, const std::function<bool()>& stop) override;
  EngineFacts facts() const override;

 private:
  std::size_t floats() const { return training_.network.parameters.size(); }
  std::int64_t* next_step() const { return counters_.as<std::int64_t>(); }
  std::int64_t* next_shard() const { return counters_.as<std::int64_t>() + 1; }
  Batch shard() const { return {training_.plan.shard_size, views_.as<PictureView>(), next_shard()}; }
  float* gradient_sums() const {
    return shards_.size() == 1 ? device_.gradients.as<float>() : own_sums_.as<float>();
  }

  void take_memory(const std::vector<float>& parameters);
  void set_parameters(const std::vector<float>& parameters);
  // These queue work, and are captured.
  void queue_step(Slot& slot);
  void queue_shard(Slot& slot, std::int64_t number);
  void queue_sums(Slot& slot, std::size_t end);
  void join_sums(Slot& slot);

  /// Returns when the slot's last launch is done, with its times read.
  void finish(Slot& slot);
  void read_times(const Slot& slot);
  /// What any rank asks for.
  Requests agree(Requests own) const;
  /// Losses of all steps so far.
  void collect_losses();
  void compare_weights();

  const Training training_;
  const mpi::Communicator& comm_;
  Range shards_;  ///< this rank's, of each batch
  std::unique_ptr<GpuNetwork> compiled_;
  nn::cuda::Device& device_;
  std::optional<GpuOptimizer> optimizer_;
  std::vector<std::size_t> bucket_ends_;
  gpu::DeviceMemory own_sums_;  ///< of a step's gradients, where shards are not one
  gpu::DeviceMemory counters_;  ///< the next step of the epoch, and the next shard of this rank
  gpu::DeviceMemory views_;     ///< of this rank's samples of the epoch
  gpu::DeviceMemory totals_;    ///< by step of the epoch
  gpu::DeviceMemory digest_parts_;
  std::optional<GpuEvaluation> evaluation_;
  std::optional<GpuPictures> pictures_;
  std::unique_ptr<GpuSum> sum_;  ///< null: this rank is alone
  gpu::Stream communication_;
  gpu::Event gradients_ready_, gradients_summed_;
  std::array<Slot, 2> slots_;  // behind sum_: NCCL is not finalised while graphs hold its work

  EpochSteps steps_;
  std::int64_t step_ = 0;          ///< of the epoch, that comes next
  bool has_run_ = false;           ///< one step, so that all kernels are loaded
  std::size_t next_bucket_ = 0;    ///< of the step that is queued now
  std::int64_t collected_ = 0;     ///< steps of the epoch whose losses are in sums_
  std::int64_t diverged_ = never;  ///< the first step of the epoch whose loss is not finite
  LossSums sums_;
  std::string digest_;
  struct Seconds {
    double forward = 0, backward = 0, hidden = 0, optimizer = 0;
    std::vector<double> exposed;  ///< of each step
  } seconds_;
};

GpuEngine::GpuEngine(const Training& training, const std::vector<float>& parameters)
    : training_(training),
      comm_(training.comm),
      shards_(block_range(training.plan.shards_per_batch, comm_.size(), comm_.rank())),
      compiled_(compile_alike(training,
                              [&](const nn::CompileOptions& options) {
                                return std::make_unique<GpuNetwork>(training.network, options);
                              })),
      device_(compiled_->device()),
      bucket_ends_(bucket_ends(training.network.parameters, collective::Element::float32,
                               training.job.parallel.bucket_bytes)) {
  if (comm_.size() > 1) sum_ = make_gpu_sum(comm_, training.job.parallel.nccl_algorithm);
  mpi::together(comm_, [&] { take_memory(parameters); });
}

void GpuEngine::take_memory(const std::vector<float>& parameters) {
  const auto steps = static_cast<std::size_t>(training_.plan.steps);
  const auto shards = static_cast<std::size_t>(shards_.size());
  set_parameters(parameters);
  optimizer_.emplace(training_, device_);
  optimizer_->restore(0, {.momentum = std::vector<float>(floats()), .slow_weights = {}});
  if (shards != 1) own_sums_ = gpu::DeviceMemory(floats() * sizeof(float), "gradients of several shards");
  counters_ = gpu::DeviceMemory(2 * sizeof(std::int64_t), "counters");
  views_ = gpu::DeviceMemory(steps * shards * training_.plan.shard_size * sizeof(PictureView), "views");
  totals_ = gpu::DeviceMemory(steps * sizeof(LossTotals), "losses of an epoch");
  digest_parts_ = gpu::DeviceMemory(nn::cuda::digest_blocks * sizeof(DigestPart), "a digest");
  evaluation_.emplace(training_, *compiled_);
  const std::int64_t shard_size = training_.plan.shard_size;
  pictures_.emplace(training_, Range{shards_.begin * shard_size, shards_.end * shard_size}, device_.stream);
  for (Slot& slot : slots_) {
    slot.marks.resize(2 * shards + 3);
    slot.sum_marks.resize(2 * bucket_ends_.size());
  }
}

void GpuEngine::set_parameters(const std::vector<float>& parameters) {
  gpu::upload<float>(parameters, device_.parameters.as<float>(), device_.stream);
  compiled_->take_parameters();
}

void GpuEngine::begin_epoch(const EpochSteps& steps) {
  const gpu::Range range("begin epoch");
  steps_ = steps;
  step_ = collected_ = steps.first_step;
  diverged_ = never;
  optimizer_->begin_epoch(steps.epoch);
  const std::array<std::int64_t, 2> counters{step_, step_ * shards_.size()};
  gpu::upload<std::int64_t>(counters, next_step(), device_.stream);
  gpu::check(cudaMemsetAsync(totals_.data(), 0, totals_.bytes(), device_.stream.get()), "cudaMemsetAsync");
  if (shards_.size() > 0) {
    const int shard_size = training_.plan.shard_size;
    draw_views(epoch_draws(training_.job.augment, training_.job.train.seed, steps.epoch,
                           training_.reader.info().train_count),
               {.batches = training_.plan.steps,
                .batch = training_.plan.batch(),
                .samples = static_cast<int>(shards_.size()) * shard_size,
                .first = static_cast<int>(shards_.begin) * shard_size,
                .held = pictures_->held()},
               views_.as<PictureView>(), device_.stream.get());
  }
  pictures_->begin_epoch(steps);
}

/// The first step runs as it is queued; those after it are graphs.
Requests GpuEngine::step(Requests own) {
  const gpu::Range range("step");
  set_activity("steps on the GPU", steps_.epoch * training_.plan.steps + step_ + 1);
  Slot& slot = slots_[static_cast<std::size_t>(step_ % 2)];
  finish(slot);
  pictures_->provide(step_);
  if (has_run_) {
    if (!slot.graph) slot.graph.emplace(device_.stream, [&] { queue_step(slot); });
    slot.graph->launch(device_.stream);
  } else {
    queue_step(slot);
    has_run_ = true;
  }
  slot.done.record(device_.stream);
  slot.is_running = true;
  pictures_->release(step_);
  ++step_;
  return agree(own);
}

void GpuEngine::queue_step(Slot& slot) {
  slot.marks.front().record_time(device_.stream);
  next_bucket_ = 0;
  if (shards_.size() == 0)
    gpu::check(cudaMemsetAsync(own_sums_.data(), 0, own_sums_.bytes(), device_.stream.get()),
               "cudaMemsetAsync");
  for (std::int64_t number = 0; number < shards_.size(); ++number) queue_shard(slot, number);
  if (sum_) join_sums(slot);
  slot.marks[slot.marks.size() - 2].record_time(device_.stream);
  optimizer_->queue_step(gradient_sums(), next_step());
  compiled_->take_parameters();
  nn::cuda::advance(next_step(), nullptr, device_.stream.get());
  slot.marks.back().record_time(device_.stream);
}

void GpuEngine::queue_shard(Slot& slot, std::int64_t number) {
  const auto mark = static_cast<std::size_t>(2 * number + 1);
  const bool is_last = number + 1 == shards_.size();
  compiled_->forward(pictures_->pixels(), shard(), true);
  compiled_->compute_loss(pictures_->labels(), shard(), totals_.as<LossTotals>(), next_step());
  slot.marks[mark].record_time(device_.stream);
  compiled_->backward([&](std::size_t begin, std::size_t end) {
    if (shards_.size() > 1) {
      nn::cuda::sum_gradients(static_cast<std::int64_t>(end - begin), device_.gradients.as<float>() + begin,
                              number > 0, own_sums_.as<float>() + begin, device_.stream.get());
    }
    if (sum_ && is_last) queue_sums(slot, end);
  });
  nn::cuda::advance(nullptr, next_shard(), device_.stream.get());
  slot.marks[mark + 1].record_time(device_.stream);
}

/// Of the buckets within [0, end), which this rank's part is queued for, in a stream of their own.
void GpuEngine::queue_sums(Slot& slot, std::size_t end) {
  for (; next_bucket_ < bucket_ends_.size() && bucket_ends_[next_bucket_] <= end; ++next_bucket_) {
    gradients_ready_.record(device_.stream);
    communication_.wait_for(gradients_ready_);
    const std::size_t begin = next_bucket_ == 0 ? 0 : bucket_ends_[next_bucket_ - 1];
    slot.sum_marks[2 * next_bucket_].record_time(communication_);
    sum_->queue(gradient_sums() + begin, bucket_ends_[next_bucket_] - begin, communication_);
    slot.sum_marks[2 * next_bucket_ + 1].record_time(communication_);
  }
}

void GpuEngine::join_sums(Slot& slot) {
  queue_sums(slot, floats());
  gradients_summed_.record(communication_);
  device_.stream.wait_for(gradients_summed_);
}

void GpuEngine::finish(Slot& slot) {
  if (!slot.is_running) return;
  if (sum_) {
    sum_->wait(slot.done);
  } else {
    slot.done.wait();
  }
  slot.is_running = false;
  read_times(slot);
}

void GpuEngine::read_times(const Slot& slot) {
  const std::vector<gpu::Event>& marks = slot.marks;
  for (std::size_t i = 1; i + 2 < marks.size(); i += 2) {
    seconds_.forward += marks[i].seconds_since(marks[i - 1]);
    seconds_.backward += marks[i + 1].seconds_since(marks[i]);
  }
  const double exposed = marks[marks.size() - 2].seconds_since(marks[marks.size() - 3]);
  seconds_.optimizer += marks.back().seconds_since(marks[marks.size() - 2]);
  if (!sum_) return;
  seconds_.exposed.push_back(exposed);
  double sums = 0;  // waiting for slower ranks included
  for (std::size_t i = 0; i < slot.sum_marks.size(); i += 2)
    sums += slot.sum_marks[i + 1].seconds_since(slot.sum_marks[i]);
  seconds_.hidden += std::max(0.0, sums - exposed);
}

Requests GpuEngine::agree(Requests own) const {
  if (comm_.size() == 1) return own;
  std::array<std::int64_t, 2> asking{own.stop, own.checkpoint};
  comm_.sum_in_place(std::span<std::int64_t>(asking));
  return {.stop = asking[0] > 0, .checkpoint = asking[1] > 0};
}

void GpuEngine::collect_losses() {
  for (Slot& slot : slots_) finish(slot);
  if (collected_ == step_) return;
  const std::vector<LossTotals> totals = gpu::download(
      totals_.as<LossTotals>() + collected_, static_cast<std::size_t>(step_ - collected_), device_.stream);
  for (const LossTotals& of_step : totals) {
    if (!std::isfinite(of_step.loss)) diverged_ = std::min(diverged_, collected_);
    sums_.loss += LossSums::in_units(of_step.loss);
    sums_.correct += of_step.correct;
    ++collected_;
  }
}

void GpuEngine::end_epoch() {
  const gpu::Range range("end epoch");
  collect_losses();
  pictures_->end_epoch();
  compare_weights();
}

void GpuEngine::compare_weights() {
  nn::cuda::digest_arena(static_cast<std::int64_t>(floats()), device_.parameters.as<float>(),
                         digest_parts_.as<DigestPart>(), device_.stream.get());
  DigestPart sum;
  for (const DigestPart& part :
       gpu::download(digest_parts_.as<DigestPart>(), nn::cuda::digest_blocks, device_.stream)) {
    sum.first += part.first;
    sum.second += part.second;
    sum.not_finite += part.not_finite;
  }
  digest_ = fmt::format("{:016x}{:016x}", sum.first, sum.second);
  const std::int64_t first = comm_.min(diverged_);
  const auto not_finite = comm_.max(static_cast<std::int64_t>(sum.not_finite));
  if (first == never && not_finite == 0) return;
  const std::string where = first == never ? fmt::format("{} weights are", not_finite)
                                           : fmt::format("in step {}, the loss is",
                                                         steps_.epoch * training_.plan.steps + first + 1);
  throw CollectiveError(
      "training has diverged: in epoch {}, {} no longer finite; lower the learning rate ([optimizer]) or "
      "lengthen the warm-up ([schedule]); train.reproducible=true tells for which pictures",
      steps_.epoch + 1, where);
}

void GpuEngine::add_times(mpi::PhaseTimer& timer) {
  const GpuPictures::Seconds pictures = pictures_->take_seconds();
  Seconds seconds = std::exchange(seconds_, {});
  timer.add(phase::read, pictures.read);
  timer.add(phase::input_wait, pictures.wait);
  timer.add(phase::forward, seconds.forward);
  timer.add(phase::backward, seconds.backward);
  phase::add_exposed(timer, std::move(seconds.exposed), comm_);
  timer.add(phase::all_reduce_hidden, seconds.hidden);
  timer.add(phase::optimizer, seconds.optimizer);
}

std::optional<Evaluation> GpuEngine::evaluate(const std::string& tta, const std::function<bool()>& stop) {
  const gpu::Range range("evaluate");
  const std::vector<View> views = views_of(tta);
  return evaluate_by_parts(
      training_.reader, dataset::Split::test, training_.network.classes(), training_.plan.shard_size, comm_,
      stop, [&](Range samples, EvaluationCounts& counts) { evaluation_->add(samples, views, counts); });
}

void GpuEngine::save(State& state) {
  collect_losses();
  compare_weights();  // a state that has diverged must not take the place of one that has not
  state.loss = comm_.sum(sums_.loss);
  state.correct = comm_.sum(sums_.correct);
  state.parameters = parameters();
  state.optimizer = optimizer_->state(state.step);
}

void GpuEngine::restore(const State& state) {
  mpi::together(comm_, [&] {
    require(state.gradient_sum.empty(), "sums of float32 have no state, but {} values are to be restored",
            state.gradient_sum.size());
    set_parameters(state.parameters);
    optimizer_->restore(state.step, state.optimizer);
    sums_ = comm_.is_root() ? LossSums{state.loss, state.correct} : LossSums{};
  });
}

EngineFacts GpuEngine::facts() const {
  const bool all = pictures_->held() == 0;
  return {.executor = fmt::format("cudnn, steps as CUDA graphs, {} pictures in GPU memory",
                                  all ? training_.reader.info().train_count : pictures_->held()),
          .plan = compiled_->plan(),
          .executor_bytes = compiled_->memory_bytes() + pictures_->bytes(),
          .all_reduce = sum_ ? sum_->name() : "none",
          .all_reduce_timings = {},
          .element = "float32",
          .gradient_bytes = floats() * sizeof(float),
          .buckets = bucket_ends_.size(),
          .step_cost = {},
          .traffic_per_picture = compiled_->traffic_per_picture()};
}

}  // namespace

bool stays_on_gpu(const Training& training) {
  const Job& job = training.job;
  const bool can_sum = training.comm.size() == 1 || job.parallel.all_reduce == "nccl";
  return job.parallel.device == "gpu" && !job.train.reproducible && can_sum &&
         are_drawn_on_gpu(job.augment, training.reader.info().image_size, training.network.input.height);
}

std::unique_ptr<StepEngine> make_gpu_engine(const Training& training, const std::vector<float>& parameters) {
  return std::make_unique<GpuEngine>(training, parameters);
}

}  // namespace whorl::train
