// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>

#include "doctor/finding.hpp"
#include "doctor/layout.hpp"

namespace whorl::doctor {

/// What the folder that a job reads and writes can do for one node; rates in bytes/s.
struct Disk {
  double free = 0;        ///< bytes
  double write_rate = 0;  ///< new data, until fsync has returned
  double read_rate = 0;   ///< the same data; from the disk where `is_cold`, else out of memory
  bool is_cold = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Disk, free, write_rate, read_rate, is_cold)

/// Type of the file system that holds `folder`, as in `mounts`, the text of /proc/self/mounts: "ext4".
std::string file_system_of(const std::filesystem::path& folder, const std::string& mounts);

/// A full or slow disk, NFS. `disks`: by node.
std::vector<Finding> judge_disk(const Layout& layout, const std::string& file_system,
                                const std::vector<Disk>& disks);

/// Makes a folder of its own in `scratch`, lets MPI-IO and HDF5 write and read there (see self_test.hpp),
/// measures the disk with all nodes at work for about two seconds, and removes the folder. One check for
/// each. Collective.
std::vector<Check> check_scratch(const mpi::Communicator& comm, const Layout& layout,
                                 const std::filesystem::path& scratch);

}  // namespace whorl::doctor
