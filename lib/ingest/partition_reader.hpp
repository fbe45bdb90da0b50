// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ingest/manifest.hpp"
#include "mpi/communicator.hpp"
#include "mpi/file.hpp"

namespace whorl::ingest {

struct ReadLimits {
  /// A rank holds at a time, but for a single larger picture. Ranks wait for each other in every round, so
  /// few are best: 232 MB in rounds of 64 MB lost 0.2 of 2.6 s to waiting.
  std::int64_t round_bytes = std::int64_t{128} << 20;
  std::int64_t picture_bytes = std::int64_t{256} << 20;  ///< larger files are not read
};

/// The bytes of one picture, valid until the next round.
struct Picture {
  std::int64_t item = 0;  ///< index into Manifest::items
  std::span<const std::uint8_t> bytes;
  std::string problem;  ///< why there are no bytes; empty if there are
};

/// Reads this rank's share of all pictures in rounds of bounded memory. Every file with many pictures is cut
/// into one contiguous run of pictures per rank, balanced by bytes and pictures, and read with
/// MPI_File_read_at_all; single-picture files are shared out likewise. The manifest and communicator must
/// outlive the reader.
class PartitionReader {
 public:
  /// Collective.
  PartitionReader(const mpi::Communicator& comm, const Manifest& manifest, const ReadLimits& limits = {});

  /// Collective: reads the next round; false, on all ranks alike, after the last. If it throws Error on one
  /// rank, the ranks are still in step and must agree to stop.
  bool next();
  /// What this rank has read in this round; none if the other ranks have more rounds.
  const std::vector<Picture>& pictures() const { return pictures_; }

 private:
  static constexpr std::int32_t loose_files = -1;
  struct Round {
    std::int32_t file = loose_files;  // index into Manifest::files, the same on all ranks
    std::int64_t offset = 0, size = 0;
    std::vector<std::int64_t> items;
  };

  void plan();
  void plan_run(std::int32_t file, const std::vector<std::int64_t>& items);
  bool fits(const Round& round, const Item& item) const;
  void read_shared(const Round& round);
  void read_loose(const Round& round);
  void read_loose_file(std::int64_t item, std::size_t& used);
  std::string too_large(const Item& item) const;

  const mpi::Communicator& comm_;
  const Manifest& manifest_;
  ReadLimits limits_;
  std::vector<Round> rounds_;
  std::size_t next_ = 0;
  std::optional<mpi::File> open_;
  std::int32_t open_file_ = loose_files;
  std::vector<std::uint8_t> buffer_;
  std::vector<Picture> pictures_;
};

}  // namespace whorl::ingest
