// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>

#include "dataset/schema.hpp"
#include "ingest/manifest.hpp"
#include "mpi/communicator.hpp"

namespace whorl::ingest {

/// All that decides the bytes of the result, in a line for people: the program, the pictures, the form they
/// are stored in. Jobs of equal recipes make equal files. That the bytes of CIFAR batches are still the same
/// is looked at; of other pictures only names, sizes, labels and splits are.
std::string recipe_of(const Manifest& manifest, int size, dataset::Storage storage, int quality);

/// Whether `result` is a file that was made by this recipe; false if there is none. Collective. Throws
/// CollectiveError if it is something else, which then may not be replaced.
bool is_made_by(const mpi::Communicator& comm, const std::filesystem::path& result,
                const std::string& recipe);

}  // namespace whorl::ingest
