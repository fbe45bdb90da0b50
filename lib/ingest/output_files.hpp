// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>

#include "h5/file.hpp"
#include "mpi/communicator.hpp"

namespace whorl::ingest {

/// The result, and the temporary files beside it. The destructor removes the temporary ones, on whichever
/// rank runs it: only publish() makes the result appear.
class OutputFiles {
 public:
  /// Collective. Throws CollectiveError if the result cannot be written there, or exists and `overwrite` is
  /// false.
  OutputFiles(const mpi::Communicator& comm, std::filesystem::path result, std::size_t inputs,
              bool overwrite);
  OutputFiles(const OutputFiles&) = delete;
  OutputFiles& operator=(const OutputFiles&) = delete;
  ~OutputFiles();

  const std::filesystem::path& result() const { return result_; }
  std::filesystem::path partial() const { return with("partial"); }
  /// What partial() is copied to when rows have to be left out.
  std::filesystem::path compacted() const { return with("compacted"); }
  std::filesystem::path spool(int rank) const { return with(fmt::format("spool-{}", rank)); }
  std::filesystem::path scratch() const { return with("unpacked"); }

  /// Collective: a new HDF5 file, open until close_hdf5().
  h5::File& create_hdf5(const std::filesystem::path& path);
  /// Collective: closes all files; throws if one cannot be finished.
  void close_hdf5();
  /// Collective: closes all files, whatever their state.
  void abandon_hdf5() { open_.clear(); }

  /// Collective: throws CollectiveError if fewer than `bytes` are free in the folder of the result.
  void require_space(std::int64_t bytes) const;
  /// Collective: `finished` becomes the result.
  void publish(const std::filesystem::path& finished) const;

 private:
  std::filesystem::path with(const std::string& ending) const { return result_.string() + "." + ending; }
  std::filesystem::path folder() const { return result_.has_parent_path() ? result_.parent_path() : "."; }
  void check() const;
  const mpi::Communicator& comm_;
  std::filesystem::path result_;
  std::size_t inputs_;
  bool overwrite_;
  std::deque<h5::File> open_;
};

}  // namespace whorl::ingest
