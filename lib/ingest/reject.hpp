// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ingest/manifest.hpp"
#include "mpi/communicator.hpp"

namespace whorl::ingest {

/// A picture that is left out of the dataset.
struct Reject {
  std::int64_t item = 0;  ///< index into Manifest::items
  std::string reason;
};

/// The rejects of all ranks in dataset order, on every rank. Collective.
std::vector<Reject> gather(const mpi::Communicator& comm, const std::vector<Reject>& mine);

/// "name: reason", a line each, at most `most`, then how many there are besides.
std::string list_rejects(const std::vector<Reject>& rejects, const Manifest& manifest, std::size_t most);

}  // namespace whorl::ingest
