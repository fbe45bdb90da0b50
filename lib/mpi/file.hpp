// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "mpi/communicator.hpp"

namespace whorl::mpi {

/// A file opened with MPI-IO by every rank of a communicator. Offsets and sizes in bytes; transfers of any
/// size (split at 1 GiB).
class File {
 public:
  enum class Mode { read, create };
  /// Collective. `create` truncates. Throws CollectiveError naming the file and the cause. The communicator
  /// must outlive the file. `step`: most bytes in one MPI call; smaller only for tests.
  static File open(const Communicator& comm, const std::string& path, Mode mode,
                   std::int64_t step = std::int64_t{1} << 30);
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  /// Closes, unless an exception unwinds (closing is collective).
  ~File();
  /// Collective; throws on failure.
  void close();

  std::int64_t size() const;
  /// Independent. Throws when fewer bytes are there than asked for.
  void read_at(std::int64_t offset, std::span<std::byte> out) const;
  /// Collective: every rank calls it, with any size, zero included. Throws CollectiveError if a rank asks for
  /// more than is there.
  void read_at_all(std::int64_t offset, std::span<std::byte> out) const;
  /// Independent.
  void write_at(std::int64_t offset, std::span<const std::byte> bytes) const;

 private:
  File(MPI_File file, MPI_Comm comm, std::string path, std::int64_t step);
  void require_whole(const MPI_Status& status, std::size_t wanted) const;
  void require_inside(std::int64_t offset, std::size_t count) const;
  MPI_File file_ = MPI_FILE_NULL;
  MPI_Comm comm_ = MPI_COMM_NULL;
  std::string path_;
  std::int64_t step_ = 0;
};

}  // namespace whorl::mpi
