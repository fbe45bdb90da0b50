// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "h5/file.hpp"
#include "ingest/channel_sums.hpp"
#include "ingest/journal.hpp"
#include "ingest/manifest.hpp"
#include "ingest/picture_store.hpp"
#include "ingest/reject.hpp"
#include "mpi/communicator.hpp"

namespace whorl::ingest {

/// Writes everything but the pictures: labels, names, rejected pictures and the attributes. Collective, equal
/// arguments on every rank.
void write_tables(const mpi::Communicator& comm, const h5::File& file, const Manifest& manifest,
                  const Contents& contents, const std::vector<Reject>& rejects);
/// Of the pictures, and room for those of the rest, see dataset::seal(). `journal`: what this rank has
/// stored.
void write_checksums(const mpi::Communicator& comm, const h5::File& file, const Manifest& manifest,
                     const Contents& contents, const Journal& journal);
void write_attributes(const h5::File& file, const Manifest& manifest, const ChannelSums& sums,
                      dataset::Storage storage, int size, const std::string& recipe);

}  // namespace whorl::ingest
