// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file_lock.hpp"
#include "dataset/reader.hpp"
#include "mpi/communicator.hpp"
#include "report/environment.hpp"
#include "report/verdict.hpp"
#include "train/job.hpp"
#include "train/trainer.hpp"

// A run folder:
//   job.ini       the resolved job: whorl-train --job RUN/job.ini repeats the run
//   run.json      versions, ranks with hosts and CPUs, dataset, executor and its plan, all-reduce and its
//   cost, start, end, result metrics.csv   a line per epoch timing.json   every phase per epoch and in total:
//   min, mean, max, stddev over ranks, slowest rank and host; seconds weights.h5    the final weights, see
//   train/weights.hpp verdict.txt   the last lines of the program's output
namespace whorl::report {

inline constexpr const char* job_file_name = "job.ini";

/// Held by the program that writes to a run folder.
inline constexpr const char* lock_file_name = ".lock";

enum class RunState : int { none, unfinished, finished };
/// Of the run that `folder` holds.
RunState state_of(const std::filesystem::path& folder);

/// Of what run.json tells about the run.
struct RunFacts {
  std::string dataset_digest;
  std::string from;  ///< the checkpoint that it began from; "" for none
};
RunFacts facts_of(const std::filesystem::path& folder);

/// The run folder `wanted`, or runs/NAME-DATE-TIME if that is empty, NAME being the stem of `job_file`.
/// Throws when it is there and holds something; creates nothing, so that a start that fails later leaves
/// nothing. Collective; every rank gets the path.
std::filesystem::path choose_run_folder(const mpi::Communicator& comm, const std::string& wanted,
                                        const std::string& job_file);

/// RunRecord::state() of an earlier start, which `source` held; a new one where that is empty. Throws Error
/// naming `source` for anything else.
nlohmann::ordered_json history_of(const std::string& state, const std::string& source);

/// Keeps the record of one training run in its folder. Rank 0 writes; all members are collective.
class RunRecord {
 public:
  /// Creates the folder, and throws where another program writes to it; writes job.ini, and run.json with
  /// what is known at the start. `from`: the checkpoint of another run that it began from, or "". `earlier`:
  /// state() of the run that this one continues; empty at the beginning.
  RunRecord(const mpi::Communicator& comm, std::filesystem::path folder, const train::Job& job,
            const dataset::Reader& reader, const train::Trainer& trainer, double setup_seconds,
            std::string from = {}, const std::string& earlier = {});

  /// Adds a line to metrics.csv and the phases to timing.json. Where they cannot be written, a warning says
  /// so; nothing is lost, as they are always written whole.
  void add(const train::EpochReport& epoch);
  /// Whether the line of the last epoch tells of no evaluation. Not collective.
  bool lacks_test() const;
  /// Completes that line.
  void add_test(const train::Evaluation& test);
  /// What a continued run needs to know, the same whenever it is asked between two epochs. Not collective.
  std::string state() const;
  /// After the last epoch: writes weights.h5, completes the other files and returns the verdict. Throws where
  /// it cannot.
  std::string finish(const train::Trainer& trainer, const std::optional<train::Evaluation>& final_test);

 private:
  std::string run_json() const;
  std::string timing_json() const;
  std::string metrics_csv() const;
  void write_tables() const;
  void try_to_write_tables() const;
  void write(const char* name, const std::string& text) const;

  const mpi::Communicator& comm_;
  std::filesystem::path folder_;
  train::Job job_;
  std::string dataset_path_, dataset_digest_, from_;
  train::TrainerFacts facts_;
  std::vector<RankPlace> places_;
  std::string started_, ended_, weights_digest_;
  /// Of the whole run: "starts", when and from which step on how many ranks; "metrics", the lines of
  /// metrics.csv; "phases", of each epoch; "train_loss", of the last epoch.
  nlohmann::ordered_json history_;
  std::int64_t first_step_;  // of this start
  RunSummary summary_;
  std::unique_ptr<FileLock> lock_;  // on rank 0
};

/// How a run's executor was compiled: with the same choices, evaluation gives the same logits.
struct RecordedExecutor {
  std::string plan;
  int shard_size = 0;
};
RecordedExecutor recorded_executor(const std::filesystem::path& run_folder);

}  // namespace whorl::report
