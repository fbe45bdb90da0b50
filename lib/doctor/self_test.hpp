// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "doctor/finding.hpp"
#include "doctor/layout.hpp"

namespace whorl::doctor {

/// Values that no other rank has at the same place.
std::vector<std::int32_t> pattern_of(int rank);
/// The rank whose part `rank` reads back: on another node where ranks are dealt out in blocks.
int author_for(int rank, int ranks);

/// Every rank writes a part of one file, and reads and compares the part of another. `wrong`: how many values
/// each rank found to differ, by rank.
std::vector<int> write_and_read_by_mpi_io(const mpi::Communicator& comm, const std::filesystem::path& file);
std::vector<int> write_and_read_by_hdf5(const mpi::Communicator& comm, const std::filesystem::path& file);

/// `wrong` as above.
Finding judge_self_test(const Layout& layout, const std::vector<int>& wrong);

}  // namespace whorl::doctor
