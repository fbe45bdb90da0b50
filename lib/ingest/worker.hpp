// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/activity.hpp"
#include "base/progress.hpp"
#include "image/jpeg.hpp"
#include "ingest/channel_sums.hpp"
#include "ingest/leftover.hpp"
#include "ingest/manifest.hpp"
#include "ingest/partition_reader.hpp"
#include "ingest/picture_store.hpp"
#include "ingest/reject.hpp"
#include "mpi/communicator.hpp"
#include "mpi/phase_timer.hpp"

namespace whorl::ingest {

/// The phases of an ingest, as indices of its timer.
enum Phase : std::size_t { scan_phase, read_phase, decode_phase, write_phase, finish_phase };
inline const std::vector<std::string> phase_names = {"scan", "read", "decode", "write", "finish"};
/// From now on this rank is in this phase, for those who watch it; its clock stops with the scope.
inline mpi::PhaseTimer::Scope enter(mpi::PhaseTimer& timer, Phase phase) {
  set_activity(phase_names[phase].c_str());
  return timer.measure(phase);
}

/// Read -> decode -> store: what one rank does with its share of the pictures. First restore(), then run().
class Worker {
 public:
  /// `size`: height and width of the pictures. All arguments must outlive the worker.
  Worker(const mpi::Communicator& comm, const Manifest& manifest, int size, PictureStore& store,
         mpi::PhaseTimer& timer);

  /// Takes over what interrupted jobs have finished; what is damaged of it is left for run(). Returns how
  /// many pictures of all ranks. Collective.
  std::int64_t restore(const Leftover& leftover);
  /// All other pictures. Collective, once. Stops early when more than `most_rejects` pictures of all ranks
  /// are unusable. An error of one rank ends the round for all: CollectiveError, naming the rank.
  void run(double most_rejects);

  /// Pictures of this rank that are not in the store.
  const std::vector<Reject>& rejects() const { return rejects_; }
  /// Over the stored training pictures of this rank, of all ranks after reduce_sums() (collective).
  const ChannelSums& sums() const { return sums_; }
  void reduce_sums() { sums_.reduce(comm_); }

 private:
  bool process_round(PartitionReader& reader, Progress& progress);
  bool next_round(PartitionReader& reader);
  std::optional<Picture> take(PartitionReader& reader);
  std::span<std::uint8_t> place(std::int64_t item);
  bool decode(const Picture& picture, std::span<std::uint8_t> pixels);
  void keep(std::int64_t item);
  void add_to_sums(std::int64_t item, std::span<const std::uint8_t> stored);
  std::vector<std::int64_t> missing_items() const;

  const mpi::Communicator& comm_;
  const Manifest& manifest_;
  int size_;
  PictureStore& store_;
  mpi::PhaseTimer& timer_;
  image::SquareDecoder decoder_;
  ChannelSums sums_;
  std::vector<Reject> rejects_;
  std::vector<std::int32_t> restored_;       // by item, the same on all ranks: 1 if it was restored
  std::int64_t done_ = 0, done_by_all_ = 0;  // pictures; the latter when the last round ended
};

}  // namespace whorl::ingest
