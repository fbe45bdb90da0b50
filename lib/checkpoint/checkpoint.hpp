// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>

#include "train/trainer.hpp"

// A checkpoint is an HDF5 file with a seal behind it (h5/seal.hpp): datasets parameters, momentum,
// slow_weights (float32 arenas, see nn::ParameterLayout; slow_weights is empty without Lookahead),
// gradient_exponents (int32, by tensor), record (text as bytes); attributes of "/": format
// "whorl-checkpoint", step, epoch_loss and epoch_correct (sums over the epoch under way), job (the resolved
// job file, with the seed of all random numbers), dataset_digest.
namespace whorl::checkpoint {

/// All that a run goes on from.
struct Checkpoint {
  train::State state;
  std::string job;             ///< train::resolved_text
  std::string dataset_digest;  ///< dataset::Reader::digest
  std::string record;          ///< report::RunRecord::state
};

/// Writes `path` so that it is there whole and durably, or not at all: under a private random name, fsync,
/// rename, fsync of the folder. May run beside threads that use HDF5 under h5::library_mutex().
void save(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws Error naming the file and what is wrong with it; any changed bit is found, and is h5::Damaged.
Checkpoint load(const std::filesystem::path& path);

}  // namespace whorl::checkpoint
