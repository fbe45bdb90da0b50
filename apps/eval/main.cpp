// SPDX-License-Identifier: BSD-3-Clause
// whorl-eval: what a trained network makes of a dataset's test split.
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include "base/activity.hpp"
#include "base/command_line.hpp"
#include "base/error.hpp"
#include "base/file_system.hpp"
#include "dataset/reader.hpp"
#include "mpi/session.hpp"
#include "mpi/watchdog.hpp"
#include "report/evaluation_report.hpp"
#include "report/run_record.hpp"
#include "train/evaluate.hpp"
#include "train/job.hpp"
#include "train/trainer.hpp"
#include "train/weights.hpp"

namespace {

using namespace whorl;
namespace po = boost::program_options;

struct Flags {
  bool help = false;
  std::string run, data, tta, device, json;
};

/// The training job, with what the flags change, and the trained network.
struct Subject {
  train::Job job;
  train::Weights weights;
  report::RecordedExecutor executor;
};

po::options_description options(Flags& flags) {
  po::options_description description("Flags");
  description.add_options()("help", po::bool_switch(&flags.help), "this text")(
      "run", po::value(&flags.run)->value_name("DIR"), "run folder of whorl-train")(
      "data", po::value(&flags.data)->value_name("FILE.h5"),
      "dataset to evaluate on; default: the one trained on")(
      "tta", po::value(&flags.tta)->value_name("VIEWS"),
      "test-time augmentation: none, mirror, airbench; default: the job's")(
      "device", po::value(&flags.device)->value_name("NAME"), "backend that computes; default: the job's")(
      "json", po::value(&flags.json)->value_name("FILE"), "also write the result as JSON");
  return description;
}

Flags parse(int argc, char** argv) {
  Flags flags;
  parse_command_line(argc, argv, options(flags), "the run is given as --run DIR");
  if (!flags.tta.empty()) train::views_of(flags.tta);  // throws for an unknown name
  if (flags.run.empty() && !flags.help)
    throw UsageError("no run given: --run DIR, a folder that whorl-train made; --help tells more");
  return flags;
}

Subject load(const Flags& flags) {
  const std::filesystem::path run = flags.run;
  require(std::filesystem::is_directory(run), "there is no run folder {}", flags.run);
  require(report::state_of(run) != report::RunState::unfinished,
          "the training in {} has not ended: start it again with --run {} to go on", flags.run, flags.run);
  Subject subject;
  const std::filesystem::path job_file = run / "job.ini";
  train::apply_settings(subject.job, train::parse_job_file(job_file.string(), read_text_file(job_file)));
  if (!flags.data.empty()) subject.job.data.file = flags.data;
  if (!flags.tta.empty()) subject.job.evaluate.tta = flags.tta;
  subject.weights = train::load_weights(run / "weights.h5");
  subject.executor = report::recorded_executor(run);
  if (!flags.device.empty() && flags.device != subject.job.parallel.device) {
    subject.job.parallel.device = flags.device;
    subject.job.parallel.precision = nn::to_string(nn::Precision::float32);
    subject.executor.plan.clear();  // of another backend
  }
  return subject;
}

void require_same_classes(const train::Weights& weights, const dataset::Reader& reader) {
  const auto& expected = weights.class_names;
  const auto& found = reader.info().class_names;
  require(expected == found, "{} has the classes {}, but the network was trained for {}", reader.path(),
          fmt::join(found, ", "), fmt::join(expected, ", "));
}

train::Evaluation evaluate(const mpi::Communicator& world, const Subject& subject,
                           const dataset::Reader& reader) {
  const train::Job& job = subject.job;
  const int batch = subject.executor.shard_size;
  const int threads = train::threads_for(job, world);
  train::claim_gpu(job, world);
  std::optional<train::Replicas> replicas;
  mpi::together(world, [&] {
    const nn::CompileOptions options{.shard_size = batch,
                                     .precision = nn::precision_of(job.parallel.precision),
                                     .plan = subject.executor.plan};
    replicas.emplace(subject.weights.network, job.parallel.device, options, threads);
    replicas->set_parameters(subject.weights.parameters);
  });
  return train::evaluate(reader, dataset::Split::test, subject.weights.network, *replicas, batch,
                         job.evaluate.tta, world)
      .value();
}

void print_result(const Flags& flags, const Subject& subject, const dataset::Reader& reader,
                  const train::Evaluation& result) {
  if (subject.weights.dataset_digest != reader.digest()) {
    fmt::print("note: {} is not the dataset that the network was trained on\n", reader.path());
  }
  fmt::print("{} on {}, test-time augmentation: {}\n", subject.weights.network.name, reader.path(),
             subject.job.evaluate.tta);
  fmt::print("{}", report::evaluation_text(result, subject.weights.class_names));
  if (!flags.json.empty())
    write_file_atomically(flags.json, report::evaluation_json(result, subject.weights.class_names));
}

int run(mpi::Communicator& world, int argc, char** argv) {
  const Flags flags = parse(argc, argv);
  if (flags.help) {
    Flags ignored;
    if (world.is_root()) {
      std::cout << "Evaluates a trained network on the test pictures of a dataset; the result does not "
                   "depend on the number of ranks.\n\n"
                   "  mpirun -n RANKS whorl-eval --run DIR [--data FILE.h5] [--tta VIEWS] [--device NAME] "
                   "[--json FILE]\n\n"
                << options(ignored);
    }
    return 0;
  }
  Subject subject;
  std::optional<dataset::Reader> reader;
  mpi::together(world, [&] {
    subject = load(flags);
    reader.emplace(subject.job.data.file);
    require_same_classes(subject.weights, *reader);
    require(reader->info().test_count > 0, "{} has no test pictures", reader->path());
  });
  const mpi::Watchdog watchdog(world, subject.job.parallel.watchdog);
  set_activity("evaluation");
  const train::Evaluation result = evaluate(world, subject, *reader);
  mpi::on_root(world, [&] { print_result(flags, subject, *reader, result); });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return mpi::run_main(argc, argv, "whorl-eval", run);
}
