// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "mpi/communicator.hpp"
#include "unit/ingest/fixtures.hpp"

namespace whorl::ingest::test {

/// A temporary folder that rank 0 makes and removes and all ranks of MPI_COMM_WORLD know. Collective.
class SharedFolder {
 public:
  SharedFolder() {
    if (world.is_root()) folder_.emplace();
    std::string path = folder_ ? folder_->path().string() : "";
    world.broadcast(path);
    path_ = path;
  }
  ~SharedFolder() { world.barrier(); }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  const mpi::Communicator world = mpi::Communicator::world();

 private:
  std::optional<TemporaryFolder> folder_;
  std::filesystem::path path_;
};

}  // namespace whorl::ingest::test
