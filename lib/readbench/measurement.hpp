// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/prefetcher.hpp"
#include "mpi/communicator.hpp"
#include "readbench/configuration.hpp"
#include "readbench/usage.hpp"

namespace whorl::readbench {

/// Over the ranks.
struct Spread {
  double min = 0, mean = 0, max = 0;
};

/// One turn, the same on every rank. Sums are over all ranks; percentiles over all pictures.
struct Measurement {
  Configuration configuration;
  int repeat = 0, turn = 0;
  std::int64_t images = 0, stored_bytes = 0, decoded_bytes = 0;
  double open_seconds = 0;  ///< of the slowest rank: to open the source, before the clock starts
  double seconds = 0;       ///< of the slowest rank
  Spread rank_rate{};       ///< images/s of a rank
  double imbalance = 0;     ///< slowest rank's seconds over the mean, less 1
  double p50 = 0, p90 = 0,
         p99 = 0;  ///< seconds from asking for a picture until it is there, decoded if asked
  Usage usage{};
  Stalls stalls{};
  double resident =
      0;  ///< if cold: share of the files in the page cache all the same, on the fullest node (mincore)

  double images_per_second() const { return static_cast<double>(images) / seconds; }
  double stored_bytes_per_second() const { return static_cast<double>(stored_bytes) / seconds; }
  double decoded_bytes_per_second() const { return static_cast<double>(decoded_bytes) / seconds; }
  /// Of the ranks' wall-clock time: computing, and waiting for a processor that others have.
  double cpu_share(int ranks) const {
    return (usage.user_seconds + usage.system_seconds) / (seconds * ranks);
  }
  double queue_share(int ranks) const { return usage.queue_seconds / (seconds * ranks); }
  /// False where the page cache was not as the configuration says: a cold file was in it by more than 1 %, or
  /// the disk had to be asked for pictures that had been read just before.
  bool cache_as_asked() const;
};

/// What is known of a source before anything is measured.
struct SourceFacts {
  std::int64_t images = 0, bytes = 0, files = 0;
  bool fits_in_memory = false;  ///< all files at once, in what is available now on the smallest node
};

/// Measures a study. All members but facts() are collective; a failure of any rank is a CollectiveError on
/// all.
class Bench {
 public:
  /// Opens every source; throws if one is not what it is said to be.
  Bench(const Study& study, const mpi::Communicator& comm);
  const std::vector<SourceFacts>& facts() const { return facts_; }
  /// Runs all turns; `done` is called after each, on every rank. Throws if a source is changed meanwhile.
  std::vector<Measurement> measure(const std::function<void(const Measurement&)>& done);

 private:
  Measurement measure_turn(const Turn& turn, const mpi::Communicator& node);
  const Study& study_;
  const mpi::Communicator& comm_;
  std::vector<std::unique_ptr<Source>>
      first_opened_;  // to notice changes between turns, which open them anew
  std::vector<SourceFacts> facts_;
};

}  // namespace whorl::readbench
