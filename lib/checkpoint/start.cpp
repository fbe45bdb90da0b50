// SPDX-License-Identifier: BSD-3-Clause
#include "checkpoint/start.hpp"

#include <fmt/core.h>

#include <cstdio>

#include "base/error.hpp"
#include "base/file_lock.hpp"
#include "base/file_system.hpp"
#include "checkpoint/folder.hpp"
#include "report/run_record.hpp"

namespace whorl::checkpoint {

namespace {

namespace fs = std::filesystem;

/// `there`: the job that `file` holds, or describes.
void require_same_job(const fs::path& file, const std::string& there, const train::Job& here) {
  train::Job job;
  train::apply_settings(job, train::parse_job_file(file.string(), there));
  const std::string difference = train::difference(job, here);
  require(difference.empty(),
          "{} belongs to another training: {}; go on with the same job, or choose another --run DIR",
          file.string(), difference);
}

void require_fits(const fs::path& file, const Checkpoint& checkpoint, const train::Job& job,
                  const std::string& dataset_digest) {
  require_same_job(file, checkpoint.job, job);
  report::history_of(checkpoint.record, file.string());  // throws for what is none
  require(checkpoint.dataset_digest == dataset_digest,
          "{} was trained on another dataset than {}: digest {} there, {} here", file.string(), job.data.file,
          checkpoint.dataset_digest, dataset_digest);
}

void require_same_dataset(const fs::path& run_folder, const train::Job& job,
                          const std::string& dataset_digest) {
  const std::string there = report::facts_of(run_folder).dataset_digest;
  require(there == dataset_digest,
          "the run in {} is finished, and was trained on another dataset than {}: digest {} there, {} here; "
          "choose another --run DIR",
          run_folder.string(), job.data.file, there, dataset_digest);
}

void note(const fs::path& file, const Checkpoint& checkpoint) {
  fmt::print(stderr, "goes on from {} after step {}\n", file.string(), checkpoint.state.step);
}

std::optional<Checkpoint> newest_of(const fs::path& run_folder, const train::Job& job,
                                    const std::string& dataset_digest) {
  require(!FileLock::is_held(run_folder / report::lock_file_name),
          "another whorl-train is writing to the run folder {}; wait for it, or choose another --run DIR",
          run_folder.string());
  std::optional<Newest> newest = take_newest(folder_of(run_folder));
  if (!newest) {
    require_same_job(run_folder / report::job_file_name, read_text_file(run_folder / report::job_file_name),
                     job);
    return std::nullopt;
  }
  for (const std::string& reason : newest->damaged)
    fmt::print(stderr, "warning: {}; takes the one before\n", reason);
  require_fits(newest->path, newest->checkpoint, job, dataset_digest);
  note(newest->path, newest->checkpoint);
  return std::move(newest->checkpoint);
}

std::optional<Checkpoint> given(const fs::path& file, const train::Job& job,
                                const std::string& dataset_digest) {
  std::optional<Checkpoint> checkpoint = load(file);
  require_fits(file, *checkpoint, job, dataset_digest);
  note(file, *checkpoint);
  return checkpoint;
}

/// Of the run that is to go on there. A run that began from one checkpoint does not go on from another.
report::RunState state_of(const std::string& run_folder, const std::string& resume, const std::string& from) {
  if (run_folder.empty() || resume == "never") return report::RunState::none;
  const report::RunState there = report::state_of(run_folder);
  const bool is_its_own =
      from.empty() || (there != report::RunState::none && report::facts_of(run_folder).from == from);
  return is_its_own ? there : report::RunState::none;
}

template <typename T>
void broadcast(const mpi::Communicator& comm, std::vector<T>& values) {
  std::uint64_t size = values.size();
  comm.broadcast(std::span(&size, 1));
  values.resize(size);
  comm.broadcast(std::span(values));
}

void broadcast(const mpi::Communicator& comm, std::optional<Checkpoint>& checkpoint) {
  int there = checkpoint ? 1 : 0;
  comm.broadcast(std::span(&there, 1));
  if (there == 0) return;
  if (!checkpoint) checkpoint.emplace();
  train::State& state = checkpoint->state;
  for (std::int64_t* value : {&state.step, &state.loss, &state.correct}) comm.broadcast(std::span(value, 1));
  for (auto* values : {&state.parameters, &state.optimizer.momentum, &state.optimizer.slow_weights})
    broadcast(comm, *values);
  broadcast(comm, state.gradient_sum);
  for (std::string* text : {&checkpoint->job, &checkpoint->dataset_digest, &checkpoint->record})
    comm.broadcast(*text);
}

}  // namespace

Start choose_start(const mpi::Communicator& comm, const train::CommandLine& command_line,
                   const train::Job& job, const std::string& dataset_digest) {
  const std::string& resume = command_line.resume;
  Start start;
  if (resume != "auto" && resume != "never") start.from = fs::absolute(resume).lexically_normal().string();
  report::RunState there = report::RunState::none;
  mpi::on_root(comm, [&] { there = state_of(command_line.run, resume, start.from); });
  auto number = static_cast<int>(there);
  comm.broadcast(std::span(&number, 1));
  there = static_cast<report::RunState>(number);
  if (there != report::RunState::none) {
    start.run_folder = command_line.run;
    start.is_finished = there == report::RunState::finished;
    mpi::on_root(comm, [&] {
      const fs::path begun = start.run_folder / report::job_file_name;
      if (start.is_finished) {
        require_same_job(begun, read_text_file(begun), job);
        require_same_dataset(start.run_folder, job, dataset_digest);
        return;
      }
      start.checkpoint = newest_of(start.run_folder, job, dataset_digest);
      if (!start.checkpoint && !start.from.empty()) start.checkpoint = given(start.from, job, dataset_digest);
    });
  } else {
    start.run_folder = report::choose_run_folder(comm, command_line.run, command_line.job_file);
    if (!start.from.empty())
      mpi::on_root(comm, [&] { start.checkpoint = given(start.from, job, dataset_digest); });
  }
  broadcast(comm, start.checkpoint);
  return start;
}

}  // namespace whorl::checkpoint
