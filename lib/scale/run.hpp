// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <vector>

#include "mpi/communicator.hpp"
#include "scale/rows.hpp"
#include "scale/study.hpp"

// A study folder:
//   study.ini    the resolved study: whorl-scale --study FOLDER/study.ini repeats it
//   rows.csv     every timing, see scale/rows.hpp
//   starts.json  for every start of the study: time, versions, ranks with hosts and CPUs; of several nodes
//   the
//                link between them, measured: latency_seconds (one way) and bytes_per_second, medians
//   findings.txt efficiency, fits, and where it stops scaling and why
namespace whorl::scale {

/// Times all that `folder` does not hold yet and returns all rows, on every rank. With `resume`, a folder
/// that holds rows of the same study is continued, else it must be new or empty. Collective.
std::vector<Row> run_study(const mpi::Communicator& world, const Study& study,
                           const std::filesystem::path& folder, bool resume);

}  // namespace whorl::scale
