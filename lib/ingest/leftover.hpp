// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "ingest/journal.hpp"
#include "mpi/communicator.hpp"

namespace whorl::ingest {

/// The pictures that interrupted jobs have finished, the same on every rank.
struct Leftover {
  struct Picture {
    StoredPicture stored;
    std::int64_t file = 0;  ///< index into `files`
  };
  std::vector<std::string> files;
  std::vector<Picture> pictures;             ///< by item, each once
  std::vector<std::filesystem::path> spare;  ///< folders that none of `pictures` is in
};

/// How many pictures the journals in a job's folder say are finished.
std::int64_t count_finished(const std::filesystem::path& folder);

/// The names of the journals in a job's folder, and of the files whose pictures they name.
std::set<std::string> files_of_journals(const std::filesystem::path& folder);

/// What the journals in `folders` (rank 0's count) say; of a picture that is in several, the copy whose bytes
/// are still what was stored. Folders that are not needed are left to the caller to remove; the others are
/// then on disk. A job that is killed again and again thus needs room for two, its own and one that has all
/// that is finished, and for more only while some of that is damaged. Collective. Throws CollectiveError if a
/// journal is of a job with another recipe.
Leftover read_leftover(const mpi::Communicator& comm, const std::vector<std::filesystem::path>& folders,
                       const std::string& recipe);

/// The stored bytes of a picture into `out`; false if they are not what was stored, and the picture has to be
/// done again.
bool read_finished(const Leftover& leftover, const Leftover::Picture& picture,
                   std::vector<std::uint8_t>& out);

}  // namespace whorl::ingest
