// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <filesystem>
#include <future>
#include <string>

#include "checkpoint/checkpoint.hpp"
#include "mpi/communicator.hpp"
#include "train/job.hpp"
#include "train/trainer.hpp"

namespace whorl::checkpoint {

/// Takes checkpoints of a run: a copy of the state between two steps, which a thread of rank 0 writes while
/// training goes on. One that is due while the one before is still being written is left out. Where one
/// cannot be written, training goes on with a warning; the last good ones stay.
class Keeper {
 public:
  /// `job`, `dataset_digest`: see Checkpoint. `comm` must outlive this object. Collective; throws when rank 0
  /// cannot make the folder.
  Keeper(const mpi::Communicator& comm, std::filesystem::path folder, const train::CheckpointOptions& options,
         std::string job, std::string dataset_digest);
  /// Waits for the one that is being written.
  ~Keeper();

  /// By rank 0's clock, which is the one that counts: time for one. False on other ranks.
  bool is_due_by_clock() const;
  bool is_due_after(int epoch) const { return options_.epochs > 0 && epoch % options_.epochs == 0; }
  /// `record`: see Checkpoint; only rank 0's matters. Collective; returns before it is written.
  void take(const train::Trainer& trainer, std::string record);
  /// The same, but returns when it is written: whether it could be, on all ranks alike. Collective.
  bool take_and_wait(const train::Trainer& trainer, std::string record);
  /// Returns when the last one taken is written, or has failed. Collective.
  void wait();
  /// Whether some could not be written; the same on all ranks. Collective.
  bool has_failed() const;

 private:
  using Clock = std::chrono::steady_clock;
  bool is_writing() const;
  void finish_writing();

  const mpi::Communicator& comm_;
  const std::filesystem::path folder_;
  const train::CheckpointOptions options_;
  const std::string job_, dataset_digest_;
  Clock::time_point last_ = Clock::now();
  std::future<bool> writing_;
  bool has_failed_ = false;
};

}  // namespace whorl::checkpoint
