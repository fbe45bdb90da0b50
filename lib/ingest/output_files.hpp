// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_lock.hpp"
#include "base/file_system.hpp"
#include "h5/file.hpp"
#include "mpi/communicator.hpp"

namespace whorl::ingest {

/// The result, and beside it a new folder, RESULT.partial-XXXXXX, of an unpredictable name and for this user
/// alone, with all that is temporary. Only publish() makes the result appear. A job that ends otherwise
/// leaves its folder where it holds finished pictures, for another job to resume.
class OutputFiles {
 public:
  /// Collective. Throws CollectiveError if the result cannot be written there; without `overwrite` and
  /// `resume`, if it exists; without `resume`, if an interrupted job has left its folder; if a job is at work
  /// in one.
  OutputFiles(const mpi::Communicator& comm, std::filesystem::path result, bool overwrite, bool resume);
  OutputFiles(const OutputFiles&) = delete;
  OutputFiles& operator=(const OutputFiles&) = delete;
  /// Removes the folder, on whichever rank runs it, unless it holds finished pictures.
  ~OutputFiles();

  const std::filesystem::path& result() const { return result_; }
  /// Whether the result is there already. Collective.
  bool is_there() const;
  std::filesystem::path pictures() const { return folder_ / "pictures.h5"; }
  /// What pictures() is copied to when rows have to be left out.
  std::filesystem::path compacted() const { return folder_ / "compacted.h5"; }
  std::filesystem::path spool(int rank) const { return folder_ / fmt::format("spool-{}", rank); }
  std::filesystem::path journal(int rank) const { return folder_ / fmt::format("journal-{}", rank); }
  std::filesystem::path scratch() const { return folder_ / "input"; }
  /// Folders of interrupted jobs of the same result, with pictures that they finished; on rank 0. Where the
  /// file system has no locks, also folders of jobs at work.
  const std::vector<std::filesystem::path>& leftovers() const { return leftovers_; }

  /// Collective: removes these of the leftovers, unless a job may be at work in them.
  void remove_leftovers(const std::vector<std::filesystem::path>& spare);

  /// Collective: a new HDF5 file, open until close_hdf5().
  h5::File& create_hdf5(const std::filesystem::path& path);
  /// Collective: closes all files; throws if one cannot be finished.
  void close_hdf5();
  /// Collective: closes all files, whatever their state.
  void abandon_hdf5() { open_.clear(); }

  /// Collective: throws CollectiveError if fewer than `bytes` are free in the folder of the result.
  void require_space(std::int64_t bytes) const;
  /// Collective: `finished` becomes the result.
  void publish(const std::filesystem::path& finished);
  /// Collective: removes the folders of this and of interrupted jobs, unless one of those may be at work.
  void clean_up();
  /// Where finished pictures are and how to go on with them, for an error message; empty if there are none.
  std::string note_of_kept() const;

 private:
  std::filesystem::path parent() const { return result_.has_parent_path() ? result_.parent_path() : "."; }
  void check_result() const;
  void find_leftovers();
  void lock_leftovers();
  // False where the job that was waited for has removed its folder. Throws if it goes on in it.
  bool lock(const std::filesystem::path& folder);
  void refuse_leftovers() const;
  const mpi::Communicator& comm_;
  std::filesystem::path result_, folder_;
  IfThere if_there_;
  std::vector<std::filesystem::path> leftovers_;
  std::vector<std::unique_ptr<FileLock>> locks_;  // of this job's folder and of the leftovers; on rank 0
  bool jobs_have_ended_ = true;  // that left the leftovers: their locks were granted; on rank 0
  std::deque<h5::File> open_;
};

}  // namespace whorl::ingest
