// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataset/rank_order.hpp"
#include "readbench/source.hpp"

namespace whorl::readbench {

enum class Cache { cold, warm };
const char* to_string(Cache cache);

/// One way to read: every rank reads `batches` batches of `batch` pictures.
struct Configuration {
  std::size_t source = 0;  ///< index into Study::sources
  int batch = 0, batches = 0;
  dataset::Order order = dataset::Order::shuffled;
  Cache cache = Cache::warm;
  bool decode = true;
  int prefetch = 0;  ///< batches read ahead in a thread; 0: read when wanted
};

/// A configuration to be run, in the order of running.
struct Turn {
  Configuration configuration;
  int repeat = 0;  ///< from 0
};

/// What the command line asks for: every combination of the lists, `repeat` times.
struct Study {
  std::vector<SourceName> sources;
  std::vector<int> batch{8, 16, 32, 64}, batches{10, 30, 60}, prefetch{0};
  std::vector<dataset::Order> order{dataset::Order::sequential, dataset::Order::shuffled};
  std::vector<Cache> cache{Cache::cold, Cache::warm};
  std::vector<bool> decode{true, false};
  int repeat = 3;
  int size = 0;                          ///< JPEGs are decoded to squares of this side; 0: as they are
  dataset::WindowOrder::Shape window{};  ///< of the order `window`
  std::uint64_t seed = 1;                ///< of the order of turns and of the pictures
};

/// All turns, every replicate a random permutation of all configurations, so that drift of the machine meets
/// all of them alike. The same on every rank.
std::vector<Turn> plan_turns(const Study& study);

}  // namespace whorl::readbench
