// SPDX-License-Identifier: BSD-3-Clause
/// Training speed of a network: forward and backward passes of some shards per rank, the sum of the gradients
/// over the ranks and a plain Nesterov SGD step, on random pictures in memory. Beside it, as the most that
/// more cores can give, what they reach in fused multiply-adds alone. Under mpirun every step takes the time
/// of the slowest rank.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/keyed_random.hpp"
#include "doctor/fma_rate.hpp"
#include "mpi/session.hpp"
#include "nn/executor.hpp"

namespace {

using namespace whorl;
namespace po = boost::program_options;

struct Options {
  std::string network = "air94";
  int image_size = 32;
  int classes = 10;
  int shard = 100;
  int shards = 1;
  std::string algorithms = "fixed";
  double seconds = 5;
  int repetitions = 1;
};

/// A compiled network with parameters, one rank's shard and the state of the optimizer.
class TrainingStep {
 public:
  TrainingStep(const Options& options, const mpi::Communicator& comm)
      : comm_(comm),
        shards_(options.shards),
        network_(nn::make_network(options.network, options.image_size, options.classes,
                                  {{0.5F, 0.5F, 0.5F}, {0.25F, 0.25F, 0.25F}})),
        parameters_(network_.parameters.size()),
        gradients_(parameters_.size()),
        velocity_(parameters_.size()) {
    nn::CompileOptions compile_options{
        .shard_size = options.shard, .label_smoothing = 0.2F, .plan = options.algorithms};
    if (comm.is_root()) executor_ = nn::compile(network_, "cpu", compile_options);
    if (executor_) compile_options.plan = executor_->plan();
    comm.broadcast(compile_options.plan);
    if (!executor_) executor_ = nn::compile(network_, "cpu", compile_options);
    nn::initialise(network_, 1, parameters_);
    KeyedRandom random(1, RandomPurpose::test, 0, comm.rank());
    images_.resize(options.shard * network_.input.count());
    for (auto& value : images_) value = static_cast<std::uint8_t>(random.below(256));
    for (int i = 0; i < options.shard; ++i)
      labels_.push_back(static_cast<std::int32_t>(random.below(options.classes)));
  }

  void run() {
    executor_->set_parameters(parameters_);
    std::fill(gradients_.begin(), gradients_.end(), 0.0F);
    for (int shard = 0; shard < shards_; ++shard)
      executor_->forward_backward({images_, labels_}, gradients_, {});
    comm_.sum_in_place(std::span(gradients_));
    constexpr float rate = 1e-6F, momentum = 0.85F;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      velocity_[i] = momentum * velocity_[i] + gradients_[i];
      parameters_[i] -= rate * (gradients_[i] + momentum * velocity_[i]);
    }
  }

  const nn::Executor& executor() const { return *executor_; }
  nn::Executor::PassSeconds take_pass_seconds() { return executor_->take_pass_seconds(); }

 private:
  const mpi::Communicator& comm_;
  int shards_;
  nn::Network network_;
  std::unique_ptr<nn::Executor> executor_;
  std::vector<float> parameters_, gradients_, velocity_;
  std::vector<std::uint8_t> images_;
  std::vector<std::int32_t> labels_;
};

/// Every rank is given the same time for every call, so that all choose the same number of calls.
template <typename Work>
void time_calls(benchmark::State& state, const mpi::Communicator& comm, const Work& work) {
  using Clock = std::chrono::steady_clock;
  for ([[maybe_unused]] auto _ : state) {
    const Clock::time_point start = Clock::now();
    work();
    state.SetIterationTime(comm.max(std::chrono::duration<double>(Clock::now() - start).count()));
  }
}

void measure_step(benchmark::State& state, TrainingStep& step, const Options& options,
                  const mpi::Communicator& comm) {
  step.run();
  step.take_pass_seconds();
  time_calls(state, comm, [&] { step.run(); });
  const double pictures = static_cast<double>(state.iterations()) * options.shard * options.shards;
  const nn::Executor::PassSeconds seconds = step.take_pass_seconds();
  state.SetItemsProcessed(state.iterations() * options.shard * options.shards * comm.size());
  state.counters["forward_us_per_image"] = seconds.forward / pictures * 1e6;
  state.counters["backward_us_per_image"] = seconds.backward / pictures * 1e6;
}

void measure_fma(benchmark::State& state, const mpi::Communicator& comm) {
  constexpr std::int64_t count = 100'000'000;  // some 20 ms
  time_calls(state, comm, [] { benchmark::DoNotOptimize(doctor::run_fma(count)); });
  state.SetItemsProcessed(state.iterations() * count * doctor::vector_lanes() * comm.size());
}

class Silent : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

po::options_description described(Options& options) {
  po::options_description description("options (and Google Benchmark's)");
  description.add_options()("help", "this text")(
      "network", po::value(&options.network)->default_value(options.network), "petal, air94 or resnet18")(
      "image-size", po::value(&options.image_size)->default_value(options.image_size), "pixels")(
      "classes", po::value(&options.classes)->default_value(options.classes), "")(
      "shard", po::value(&options.shard)->default_value(options.shard),
      "pictures that are normalised together")(
      "shards", po::value(&options.shards)->default_value(options.shards), "per rank and step")(
      "algorithms", po::value(&options.algorithms)->default_value(options.algorithms),
      "of convolutions: fixed, measured or direct")(
      "seconds", po::value(&options.seconds)->default_value(options.seconds), "per repetition")(
      "repetitions", po::value(&options.repetitions)->default_value(options.repetitions), "")(
      "plan", "print the chosen algorithms");
  return description;
}

int run(mpi::Communicator& comm, int argc, char** argv) {
  Options options;
  const po::options_description description = described(options);
  benchmark::Initialize(&argc, argv);
  po::variables_map given;
  po::store(po::parse_command_line(argc, argv, description), given);
  po::notify(given);
  if (given.count("help") > 0) {
    if (comm.is_root()) std::cout << description;
    return 0;
  }
  TrainingStep step(options, comm);
  if (given.count("plan") > 0 && comm.is_root())
    std::cout << step.executor().plan() << (step.executor().memory_bytes() >> 20) << " MiB\n";
  const std::string ranks = "/ranks:" + std::to_string(comm.size());
  const std::string name = options.network + "/shard:" + std::to_string(options.shard) +
                           "/shards:" + std::to_string(options.shards) + ranks;
  const auto add = [&](const std::string& of, const std::function<void(benchmark::State&)>& measure) {
    benchmark::RegisterBenchmark(of.c_str(), measure)
        ->UseManualTime()
        ->MinTime(options.seconds)
        ->Repetitions(options.repetitions)
        ->Unit(benchmark::kMillisecond);
  };
  add(name, [&](benchmark::State& state) { measure_step(state, step, options, comm); });
  add("fma" + ranks, [&](benchmark::State& state) { measure_fma(state, comm); });
  Silent silent;
  comm.is_root() ? benchmark::RunSpecifiedBenchmarks() : benchmark::RunSpecifiedBenchmarks(&silent);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return whorl::mpi::run_main(argc, argv, "bench-step", run);
}
