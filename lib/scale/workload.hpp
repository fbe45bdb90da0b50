// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <optional>

#include "dataset/reader.hpp"
#include "mpi/communicator.hpp"
#include "scale/plan.hpp"
#include "scale/rows.hpp"
#include "scale/study.hpp"
#include "train/job.hpp"
#include "train/loader.hpp"

namespace whorl::scale {

/// Times the points of a study. The file and the job are read once, and shared by all timings.
class Workloads {
 public:
  /// Reads the job; every rank of `world` opens the dataset. `scratch` is a folder for the datasets that
  /// timed ingests write. Collective.
  Workloads(const mpi::Communicator& world, const Study& study, std::filesystem::path scratch);

  Defaults defaults() const;
  /// Throws UsageError for a point that the dataset is too small for.
  void require_possible(const Point& point) const;
  /// What a row holds but `timing` and `started`, the same on every rank of `comm`. Collective over `comm`,
  /// the ranks of `point`.
  Row time(const Point& point, const mpi::Communicator& comm) const;

 private:
  train::EpochPlan plan_of(const Point& point) const;
  Row time_training(const Point& point, const mpi::Communicator& comm) const;
  Row time_ingest(const Point& point, const mpi::Communicator& comm) const;
  Row time_reading(const Point& point, const mpi::Communicator& comm) const;

  const Study& study_;
  std::filesystem::path scratch_;
  int threads_;
  train::Job job_;
  std::optional<dataset::Reader> reader_;
};

}  // namespace whorl::scale
