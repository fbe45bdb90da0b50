// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dataset/stable_file.hpp"
#include "h5/file.hpp"

// Every byte of a dataset file is covered by a checksum. Each picture has one of its own, in checksums beside
// labels and names; they stay valid when another program rewrites the file. All other bytes of the file, in
// order (HDF5's own structures, attributes, lists, the space between; not rest_checksums itself) are cut into
// rest_parts parts, block_range(bytes, rest_parts, i), and rest_checksums[i] is checksum_of() part i. Its
// last value is checksum_of() those before it.
namespace whorl::dataset {

class Reader;

/// Fills in rest_checksums, which must be there. Last step of making a dataset, by one process, when no other
/// has the file open.
void seal(const std::filesystem::path& path);

/// Whether another program has laid the file out anew (h5repack, compressed): then rest_checksums says
/// nothing.
bool is_laid_out_anew(const h5::File& file);

/// Parts of the file beside the pictures that are not as they were when it was sealed, in words with the
/// datasets and rows that lie there. Throws for files that are laid out anew.
std::vector<std::string> damage_beside_pictures(const h5::File& file, const StableFile& bytes);

/// The pictures of part `part` of `parts` of the file that are damaged, in words with split, row and name;
/// part 0 begins with damage_beside_pictures(), where the file is not laid out anew. Cost: reads the part
/// once.
std::vector<std::string> find_damage(const Reader& reader, int parts, int part);

}  // namespace whorl::dataset
