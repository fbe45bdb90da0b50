// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>
#include <vector>

#include "measure.hpp"

namespace whorl::allreduce {

/// What was run where, for the head of a report. Collective to gather.
struct Setting {
  std::vector<std::string> hosts;  // by rank
  std::string mpi_library;
  Comparison comparison;  // the chunk that is taken where none is asked for included
};
Setting gather_setting(const mpi::Communicator& comm, const Comparison& comparison);

/// Bandwidths as nccl-tests define them (PERFORMANCE.md there): algorithm = bytes / time, bus = algorithm *
/// 2(P-1)/P, which is comparable to the speed of the links whatever P is. `ratio` is the median time of "mpi"
/// over that of the row.
void print_heading(const Setting& setting);
void print_rows(std::span<const Measurement> rows, int ranks);

/// All of it with every repeat, as JSON.
void write_json(const std::string& path, const Setting& setting, std::span<const Measurement> rows);

}  // namespace whorl::allreduce
