// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/configuration.hpp"

#include "dataset/epoch_order.hpp"

namespace whorl::readbench {

const char* to_string(Cache cache) {
  return cache == Cache::cold ? "cold" : "warm";
}

namespace {

std::vector<Configuration> all_configurations(const Study& study) {
  std::vector<Configuration> all;
  for (std::size_t source = 0; source < study.sources.size(); ++source)
    for (const int batch : study.batch)
      for (const int batches : study.batches)
        for (const dataset::Order order : study.order)
          for (const Cache cache : study.cache)
            for (const bool decode : study.decode)
              for (const int prefetch : study.prefetch)
                all.push_back({source, batch, batches, order, cache, decode, prefetch});
  return all;
}

}  // namespace

std::vector<Turn> plan_turns(const Study& study) {
  const std::vector<Configuration> all = all_configurations(study);
  std::vector<Turn> turns;
  for (int repeat = 0; repeat < study.repeat; ++repeat) {
    const dataset::EpochOrder order(study.seed, static_cast<std::uint32_t>(repeat), std::ssize(all));
    for (std::int64_t i = 0; i < std::ssize(all); ++i)
      turns.push_back({all[static_cast<std::size_t>(order(i))], repeat});
  }
  return turns;
}

}  // namespace whorl::readbench
