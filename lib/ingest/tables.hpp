// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "h5/file.hpp"
#include "ingest/channel_sums.hpp"
#include "ingest/manifest.hpp"
#include "ingest/picture_store.hpp"
#include "ingest/reject.hpp"
#include "mpi/communicator.hpp"

namespace whorl::ingest {

/// Writes everything but the pictures: labels, names, rejected pictures and the attributes. Collective, equal
/// arguments on every rank.
void write_tables(const mpi::Communicator& comm, const h5::File& file, const Manifest& manifest,
                  const Contents& contents, const std::vector<Reject>& rejects);
void write_attributes(const h5::File& file, const Manifest& manifest, const ChannelSums& sums,
                      dataset::Storage storage, int size);

}  // namespace whorl::ingest
