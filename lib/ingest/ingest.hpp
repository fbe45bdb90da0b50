// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dataset/schema.hpp"
#include "ingest/row_writer.hpp"
#include "mpi/communicator.hpp"
#include "mpi/phase_timer.hpp"

namespace whorl::ingest {

struct Options {
  std::vector<std::filesystem::path> inputs;  ///< see ScanOptions
  std::filesystem::path output;
  int size = 192;              ///< height and width of the pictures; CIFAR keeps its 32
  double test_fraction = 0.2;  ///< where the source has no split of its own
  std::uint64_t seed = 0;      ///< of that split
  dataset::Storage storage = dataset::Storage::pixels;
  int quality = 90;           ///< of stored JPEGs
  double max_rejects = 0.01;  ///< the largest fraction of pictures that may be unusable
  std::size_t block_bytes = RowWriter::usual_block;  ///< of pixels that a rank writes at a time
  double watchdog = 20;  ///< seconds after which a rank that does not answer ends the job; 0: never
  bool overwrite = false;
  bool resume = false;  ///< take over what interrupted jobs have finished; done at once if the output is
                        ///< there and was made like this
};

/// What was made, the same on every rank.
struct Summary {
  std::vector<std::string> class_names;
  std::array<std::vector<std::int64_t>, 2> class_counts;  ///< train, test: pictures per class
  std::int64_t rejected = 0;
  std::int64_t restored = 0;      ///< pictures that interrupted jobs had finished
  std::int64_t source_bytes = 0;  ///< of all pictures
  std::int64_t file_bytes = 0;
  double seconds = 0;
  std::vector<mpi::PhaseStatistics> phases;
};

/// The whole job: lists the inputs, reads, decodes and stores the pictures, and makes the dataset file
/// appear. Progress, warnings and rejected pictures go to stderr on rank 0. Collective. Throws
/// CollectiveError where all ranks stop in order, any other exception where one rank cannot go on; either way
/// no file appears under the final name, and pictures that were finished are kept for a job with `resume`.
Summary ingest(const mpi::Communicator& comm, const Options& options);

/// A few lines for a person.
std::string format_summary(const Summary& summary, const Options& options, int ranks);

}  // namespace whorl::ingest
