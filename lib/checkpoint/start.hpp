// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "checkpoint/checkpoint.hpp"
#include "mpi/communicator.hpp"
#include "train/job.hpp"

namespace whorl::checkpoint {

/// Where a run leaves its record, and what it goes on from.
struct Start {
  std::filesystem::path run_folder;
  std::optional<Checkpoint> checkpoint;  ///< nothing: from the beginning
  bool is_finished = false;              ///< the run has ended; nothing is left to do
  std::string from;                      ///< the checkpoint that --resume names; "" for none
};

/// As --run and --resume ask for. With "auto", a run folder that holds an unfinished run goes on from its
/// newest checkpoint that is not damaged (others are named on stderr), or begins again where there is none
/// yet; one that has ended is finished; any other that is not empty is refused. With a checkpoint, the
/// same holds for the run that began from it. Throws CollectiveError for a checkpoint or a finished run of
/// another job or dataset, naming what differs. Collective; every rank gets the same.
Start choose_start(const mpi::Communicator& comm, const train::CommandLine& command_line,
                   const train::Job& job, const std::string& dataset_digest);

}  // namespace whorl::checkpoint
