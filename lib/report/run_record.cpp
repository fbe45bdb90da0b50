// SPDX-License-Identifier: BSD-3-Clause
#include "report/run_record.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "report/json.hpp"

namespace whorl::report {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* verdict_file = "verdict.txt";  // the last to be written

std::string default_folder(const std::string& job_file) {
  return fmt::format("runs/{}-{:%Y%m%d-%H%M%S}", fs::path(job_file).stem().string(),
                     fmt::localtime(std::time(nullptr)));
}

/// Neither the note that jobs/launch.sh leaves before it starts the program counts, nor what a run has left
/// that was killed before it wrote its job.
bool holds_no_run(const fs::path& folder, std::error_code& error) {
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path name = entry->path().filename();
    if (name != "launch.txt" && name != lock_file_name && name != "run.json" && !is_draft(name)) return false;
  }
  return true;
}

void require_new_or_empty(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  const bool empty = fs::is_directory(folder, error) && holds_no_run(folder, error);
  require(!error, "cannot look into the run folder {}: {}", folder.string(), error.message());
  require(empty,
          "the run folder {} is not empty: it would mix two runs; choose another --run DIR, or remove it",
          folder.string());
}

void create(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  require(!error, "cannot create the run folder {}: {}", folder.string(), error.message());
}

Json lines_of(const std::string& text) {
  Json lines = Json::array();
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Json phases_json(const std::vector<mpi::PhaseStatistics>& phases) {
  Json json;
  for (const mpi::PhaseStatistics& phase : phases) {
    json[phase.name] = {{"min", phase.min},
                        {"mean", phase.mean},
                        {"max", phase.max},
                        {"stddev", phase.standard_deviation},
                        {"slowest_rank", phase.slowest_rank},
                        {"slowest_host", phase.slowest_host},
                        {"per_rank", phase.per_rank}};
  }
  return json;
}

Json communication_json(const train::TrainerFacts& facts) {
  Json json{{"algorithm", facts.all_reduce},
            {"element", facts.element},
            {"gradient_bytes", facts.gradient_bytes},
            {"buckets", facts.buckets}};
  for (const collective::Timing& timing : facts.all_reduce_timings)
    json["measured_seconds"][timing.algorithm] = timing.seconds;
  if (facts.step_cost)
    json["cost_per_step"] = {{"steps", facts.step_cost->steps}, {"bytes_sent", facts.step_cost->bytes_sent}};
  return json;
}

Json new_history() {
  return {
      {"starts", Json::array()}, {"metrics", Json::array()}, {"phases", Json::array()}, {"train_loss", 0.0}};
}

/// Of metrics.csv: both columns empty, between others that never are.
constexpr std::string_view no_test = ",,,";

std::string test_columns(const train::Evaluation& test) {
  return fmt::format(",{:.6f},{:.6f},", test.loss, test.top1());
}

std::string metrics_line(const train::EpochReport& epoch) {
  const std::string test = epoch.test ? test_columns(*epoch.test) : std::string(no_test);
  return fmt::format("{},{},{:.6f},{:.6f}{}{:.6f},{:.1f},{:.3f}", epoch.epoch, epoch.step, epoch.train_loss,
                     epoch.train_top1, test, epoch.learning_rate_factor, epoch.images_per_second,
                     epoch.train_seconds);
}

std::string all_reduce_text(const train::TrainerFacts& facts) {
  std::string text = fmt::format("{} of {}, {} MB a step", facts.all_reduce, facts.element,
                                 (facts.gradient_bytes + 500'000) / 1'000'000);
  for (const collective::Timing& timing : facts.all_reduce_timings) {
    text +=
        fmt::format("{} {} {:.2f} ms", &timing == facts.all_reduce_timings.data() ? "; timed before:" : ",",
                    timing.algorithm, timing.seconds * 1e3);
  }
  return text;
}

}  // namespace

fs::path choose_run_folder(const mpi::Communicator& comm, const std::string& wanted,
                           const std::string& job_file) {
  std::string folder = wanted.empty() ? default_folder(job_file) : wanted;
  comm.broadcast(folder);  // the ranks' clocks differ
  mpi::on_root(comm, [&] { require_new_or_empty(folder); });
  return folder;
}

RunState state_of(const fs::path& folder) {
  if (!fs::exists(folder / job_file_name)) return RunState::none;
  return fs::exists(folder / verdict_file) ? RunState::finished : RunState::unfinished;
}

RunFacts facts_of(const fs::path& folder) {
  RunFacts facts;
  look_into_records(folder, [&] {
    const Json record = read_json(folder / "run.json");
    facts = {.dataset_digest = record.at("dataset").at("digest"), .from = record.value("began_from", "")};
  });
  return facts;
}

Json history_of(const std::string& state, const std::string& source) {
  if (state.empty()) return new_history();
  const auto is_text = [](const Json& line) { return line.is_string(); };
  Json history = parse_json(state, source);
  const bool is_one =
      history.is_object() && history.value("starts", Json()).is_array() &&
      history.value("phases", Json()).is_array() && history.value("metrics", Json()).is_array() &&
      std::ranges::all_of(history["metrics"], is_text) && history.value("train_loss", Json()).is_number();
  require(is_one, "{} is damaged: its record is not that of a run", source);
  return history;
}

RunRecord::RunRecord(const mpi::Communicator& comm, fs::path folder, const train::Job& job,
                     const dataset::Reader& reader, const train::Trainer& trainer, double setup_seconds,
                     std::string from, const std::string& earlier)
    : comm_(comm),
      folder_(std::move(folder)),
      job_(job),
      dataset_path_(fs::absolute(reader.path()).string()),
      dataset_digest_(reader.digest()),
      from_(std::move(from)),
      facts_(trainer.facts()),
      places_(rank_places(comm)),
      started_(utc_now()),
      history_(history_of(earlier, "the checkpoint")),
      first_step_(trainer.steps_done()) {
  job_.data.file = dataset_path_;  // so that the recorded job runs in any folder
  history_["starts"].push_back({{"started", started_}, {"ranks", comm_.size()}, {"from_step", first_step_}});
  summary_.resumed_at_step = first_step_;
  summary_.train_loss = history_["train_loss"];
  summary_.tta = job.evaluate.tta;
  summary_.setup_seconds = setup_seconds;
  summary_.training_flops = facts_.training_flops;
  summary_.traffic_per_picture = facts_.traffic_per_picture;
  summary_.gpu_ceilings = facts_.gpu_ceilings;
  summary_.precision = job.parallel.precision;
  summary_.threads = facts_.threads;
  summary_.all_reduce = all_reduce_text(facts_);
  for (const RankPlace& place : places_) summary_.hosts.push_back(place.host);
  mpi::on_root(comm_, [&] {
    create(folder_);
    lock_ = FileLock::take(folder_ / lock_file_name);
    require(lock_ != nullptr, "another whorl-train is writing to the run folder {}; choose another --run DIR",
            folder_.string());
    remove_drafts(folder_);
    write("run.json", run_json());
    write(job_file_name, train::resolved_text(job_));  // last: with it, the folder holds a run
  });
}

void RunRecord::add(const train::EpochReport& epoch) {
  history_["metrics"].push_back(metrics_line(epoch));
  history_["phases"].push_back({{"epoch", epoch.epoch}, {"phases", phases_json(epoch.phases)}});
  history_["train_loss"] = summary_.train_loss = epoch.train_loss;
  summary_.train_seconds += epoch.train_seconds;
  summary_.images = (epoch.step - first_step_) * facts_.plan_of_epoch.batch();
  summary_.plain = epoch.test;
  try_to_write_tables();
}

bool RunRecord::lacks_test() const {
  const Json& lines = history_["metrics"];
  return !lines.empty() && lines.back().get<std::string>().find(no_test) != std::string::npos;
}

void RunRecord::add_test(const train::Evaluation& test) {
  auto line = history_["metrics"].back().get<std::string>();
  history_["metrics"].back() = line.replace(line.find(no_test), no_test.size(), test_columns(test));
  summary_.plain = test;
  try_to_write_tables();
}

void RunRecord::try_to_write_tables() const {
  if (!comm_.is_root()) return;
  try {
    write_tables();
  } catch (const std::exception& error) {
    fmt::print(stderr, "warning: {}; training goes on, and tries again after the next epoch\n",
               describe(error));
  }
}

std::string RunRecord::state() const {
  return history_.dump();
}

std::string RunRecord::finish(const train::Trainer& trainer,
                              const std::optional<train::Evaluation>& final_test) {
  summary_.test = final_test;
  summary_.phases = trainer.total_phases();
  ended_ = utc_now();
  weights_digest_ = train::weights_digest(trainer.weights().parameters);
  std::string text = verdict(summary_);
  mpi::on_root(comm_, [&] {
    train::save_weights(folder_ / "weights.h5", trainer.weights());
    write_tables();
    write("run.json", run_json());
    write(verdict_file, text);
  });
  return text;
}

void RunRecord::write_tables() const {
  write("metrics.csv", metrics_csv());
  write("timing.json", timing_json());
}

void RunRecord::write(const char* name, const std::string& text) const {
  write_file_atomically(folder_ / name, text);
}

std::string RunRecord::run_json() const {
  Json json;
  json["started"] = started_;
  if (!ended_.empty()) json["ended"] = ended_;
  if (!from_.empty()) json["began_from"] = from_;
  json["starts"] = history_["starts"];
  for (const auto& [name, version] : versions()) json["versions"][name] = version;
  for (const RankPlace& place : places_)
    json["ranks"].push_back({{"host", place.host}, {"cpus", place.cpus}});
  json["threads_per_rank"] = facts_.threads;
  json["dataset"] = {{"path", dataset_path_}, {"digest", dataset_digest_}};
  json["executor"] = {
      {"name", facts_.executor}, {"memory_bytes", facts_.executor_bytes}, {"plan", lines_of(facts_.plan)}};
  if (!facts_.gpu.empty()) json["executor"]["gpu"] = facts_.gpu;
  json["network"] = lines_of(facts_.network);
  json["all_reduce"] = communication_json(facts_);
  json["steps"] = facts_.total_steps;
  json["batch"] = facts_.plan_of_epoch.batch();
  json["shard"] = facts_.plan_of_epoch.shard_size;
  if (!ended_.empty()) {
    json["result"] = {{"weights_digest", weights_digest_},
                      {"train_loss", summary_.train_loss},
                      {"train_seconds", summary_.train_seconds},
                      {"setup_seconds", summary_.setup_seconds}};
  }
  if (facts_.gpu_ceilings.flops > 0) {
    json["roofline"] = {{"training_flops_per_picture", facts_.training_flops},
                        {"flops_per_second_of_products", facts_.gpu_ceilings.flops},
                        {"traffic_bytes_per_picture", facts_.traffic_per_picture},
                        {"bytes_per_second_of_copies", facts_.gpu_ceilings.bytes}};
    if (!ended_.empty()) {
      const double pictures = pictures_per_second(summary_);
      json["roofline"]["flops_per_second"] = facts_.training_flops * pictures;
      json["roofline"]["traffic_bytes_per_second"] = facts_.traffic_per_picture * pictures;
    }
  }
  if (summary_.test) {
    json["result"]["test_top1"] = summary_.test->top1();
    json["result"]["test_loss"] = summary_.test->loss;
    json["result"]["tta"] = summary_.tta;
  }
  return json.dump(1) + "\n";
}

std::string RunRecord::timing_json() const {
  Json json{{"unit", "seconds, over ranks"}, {"ranks", comm_.size()}};
  if (!history_["phases"].empty()) json["epochs"] = history_["phases"];
  if (!summary_.phases.empty()) json["total"] = phases_json(summary_.phases);
  return json.dump(1) + "\n";
}

std::string RunRecord::metrics_csv() const {
  std::string text =
      "epoch,step,train_loss,train_top1,test_loss,test_top1,learning_rate_factor,images_per_second,seconds\n";
  for (const Json& line : history_["metrics"]) text += line.get<std::string>() + "\n";
  return text;
}

RecordedExecutor recorded_executor(const fs::path& run_folder) {
  const fs::path file = run_folder / "run.json";
  RecordedExecutor recorded;
  look_into_records(run_folder, [&] {
    const Json json = read_json(file);
    const auto shard = json.at("shard").get<double>();  // a damaged file's need not fit an int
    require(shard >= 1 && shard <= std::numeric_limits<int>::max(), "{} is damaged: a shard of {} pictures",
            file.string(), shard);
    recorded.shard_size = static_cast<int>(shard);
    const auto lines = json.at("executor").at("plan").get<std::vector<std::string>>();
    recorded.plan = fmt::format("{}", fmt::join(lines, "\n"));
  });
  return recorded;
}

}  // namespace whorl::report
