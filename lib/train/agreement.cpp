// SPDX-License-Identifier: BSD-3-Clause
#include "train/agreement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/error.hpp"
#include "mpi/session.hpp"

namespace whorl::train {

namespace {

/// The lowest rank's among values that are equally common.
std::string most_common(const std::vector<std::string>& values) {
  std::map<std::string, int> counts;
  for (const std::string& value : values) ++counts[value];
  return *std::max_element(values.begin(), values.end(), [&](const std::string& a, const std::string& b) {
    return counts.at(a) < counts.at(b);
  });
}

}  // namespace

void require_same_everywhere(const mpi::Communicator& comm, const std::string& what,
                             const std::string& value) {
  const std::vector<std::string> values = comm.all_gather(value);
  const std::string expected = most_common(values);
  if (std::count(values.begin(), values.end(), expected) == comm.size()) return;
  const std::vector<std::string> hosts = comm.all_gather(mpi::host_name());
  std::vector<std::string> odd;
  for (std::size_t rank = 0; rank < values.size(); ++rank) {
    if (values[rank] != expected)
      odd.push_back(fmt::format("rank {} (host {}): {}", rank, hosts[rank], values[rank]));
  }
  throw CollectiveError("{} must be the same on every rank, but {} of {} ranks differ from {}: {}", what,
                        odd.size(), comm.size(), expected, fmt::join(odd, "; "));
}

}  // namespace whorl::train
