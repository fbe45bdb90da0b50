// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/block_range.hpp"
#include "ingest/claims.hpp"
#include "ingest/manifest.hpp"
#include "mpi/communicator.hpp"
#include "mpi/file.hpp"

namespace whorl::ingest {

struct ReadLimits {
  std::int64_t round_bytes = std::int64_t{16}
                             << 20;  ///< a rank holds at a time, but for a single larger picture
  std::int64_t picture_bytes = std::int64_t{256} << 20;  ///< larger files are not read
};

/// The bytes of one picture, valid until the next is taken.
struct Picture {
  std::int64_t item = 0;  ///< index into Manifest::items
  std::span<const std::uint8_t> bytes;
  std::string problem;  ///< why there are no bytes; empty if there are
};

/// Reads pictures, each on one rank, in rounds of bounded memory. Every file with many pictures is cut
/// into one contiguous run of pictures per rank, balanced by bytes and pictures, and read with
/// MPI_File_read_at_all; single-picture files are shared out likewise. A rank that is through with its part
/// of a round takes over pictures of slower ranks of its node. The manifest and communicator must outlive the
/// reader.
///
///   while next(): while a picture can be taken: use it
class PartitionReader {
 public:
  /// Collective. `items`: ascending indices into Manifest::items, the same on all ranks; the others are not
  /// read.
  PartitionReader(const mpi::Communicator& comm, const Manifest& manifest,
                  const std::vector<std::int64_t>& items, const ReadLimits& limits = {});

  /// Collective: reads the next round, when no rank of the node has anything left to take in this one; false,
  /// on all ranks alike, after the last. If it throws Error on one rank, the ranks are still in step and must
  /// agree to stop.
  bool next();
  /// A picture of this round that no other rank has or will have; nothing when all of the node's are taken.
  /// Independent.
  std::optional<Picture> take();

 private:
  static constexpr std::int32_t loose_files = -1;
  /// What one rank reads at a time.
  struct Round {
    std::int32_t file = loose_files;  // index into Manifest::files, the same on all ranks
    std::int64_t offset = 0, size = 0;
    Range items;             // of order_
    std::int64_t first = 0;  // pictures in the rounds before
  };
  using Rounds = std::vector<Round>;

  void plan(const std::vector<std::int64_t>& items);
  void plan_run(std::int32_t file, const std::vector<std::int64_t>& items);
  Rounds cut(std::int32_t file, Range items) const;
  bool fits(const Round& round, const Item& item) const;
  void read_shared(const Round& round);
  void read_loose(const Round& round);
  Picture read_alone(std::int32_t file, std::int64_t index);
  Picture read_loose_file(std::int64_t index, std::span<std::uint8_t> buffer) const;
  std::string too_large(const Item& item) const;

  const mpi::Communicator& comm_;
  const Manifest& manifest_;
  ReadLimits limits_;
  mpi::Communicator node_;
  std::vector<int> peers_;  // ranks in comm_, by rank in node_
  Claims claims_;
  std::vector<std::int64_t> order_;  // items, as they lie in the files
  std::vector<Rounds> rounds_;       // by rank in node_; all have the same number
  std::size_t next_ = 0;
  std::optional<mpi::File> open_;
  std::int32_t open_file_ = loose_files;
  std::vector<std::uint8_t> buffer_, taken_over_;
  std::vector<Picture> pictures_;  // of this rank in this round
};

}  // namespace whorl::ingest
