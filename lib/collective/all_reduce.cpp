// SPDX-License-Identifier: BSD-3-Clause
#include "collective/all_reduce.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "collective/mpi_all_reduce.hpp"
#include "collective/mpi_transport.hpp"
#include "collective/ring.hpp"

namespace whorl::collective {
namespace {

using Made = std::unique_ptr<AllReduce>;

Made make_ring(const mpi::Communicator& comm, const Options& options) {
  return std::make_unique<Ring>(std::make_unique<MpiTransport>(comm), options.chunk_bytes);
}

Made make_mpi(const mpi::Communicator& comm, const Options&) {
  return std::make_unique<MpiAllReduce>(comm);
}

struct Algorithm {
  const char* name;
  Made (*make)(const mpi::Communicator&, const Options&);
};

constexpr std::array algorithms{
    Algorithm{"ring", make_ring},
    Algorithm{"mpi", make_mpi},
};

}  // namespace

std::vector<std::string> available_algorithms() {
  std::vector<std::string> names;
  for (const Algorithm& algorithm : algorithms) names.emplace_back(algorithm.name);
  return names;
}

std::unique_ptr<AllReduce> make_all_reduce(const std::string& name, const mpi::Communicator& comm,
                                           const Options& options) {
  const auto found =
      std::ranges::find_if(algorithms, [&](const Algorithm& algorithm) { return name == algorithm.name; });
  if (found == algorithms.end()) {
    throw UsageError("no all-reduce algorithm is called \"{}\"; there are: {}", name,
                     fmt::join(available_algorithms(), ", "));
  }
  return found->make(comm, options);
}

}  // namespace whorl::collective
