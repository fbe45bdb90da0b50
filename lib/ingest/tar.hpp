// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "ingest/input_file.hpp"
#include "ingest/listing.hpp"

namespace whorl::ingest {

/// Whether the file begins like an uncompressed tar (a header whose checksum holds, or the end mark of an
/// empty one).
bool is_tar(const InputFile& file);

/// The regular files of an uncompressed tar (v7, ustar, GNU long names, pax path and size), in the archive's
/// order; of several entries with one path the last counts, as when the archive is unpacked. Links, devices,
/// sparse files and paths with ".." are noted. Throws, naming the offset, for a damaged or truncated archive.
/// Reads only the headers.
Listing list_tar(const InputFile& file);

}  // namespace whorl::ingest
