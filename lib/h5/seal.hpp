// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"

// A seal is text behind the last byte of an HDF5 file, which HDF5 itself ignores: a line for each dataset
// with where it lies and the XXH3 of its bytes, one for all other bytes (HDF5's own structures, attributes,
// gaps), and a last line with the length and the XXH3 of the seal:
//
//   2048 4096 0123456789abcdef0123456789abcdef parameters
//   rest 1234567 fedcba9876543210fedcba9876543210
//   whorl-seal 0000000123 00112233445566778899aabbccddeeff
//
// So every bit of the file is covered, and damage is found before HDF5 reads any of it.
namespace whorl::h5 {

/// Seals a closed file without a seal; `datasets` are contiguous. The caller holds library_mutex() where
/// other threads use HDF5.
void seal(const std::filesystem::path& path, const std::vector<std::string>& datasets);

/// The content of a file is not what was sealed. What keeps it from being read is no Damaged.
class Damaged : public Error {
 public:
  using Error::Error;
};

/// Throws Damaged naming the file and the dataset, or other part, where one bit differs from what was sealed,
/// or saying that the file is cut short or has no seal. Does not use HDF5. Reads the whole file into memory.
void verify_seal(const std::filesystem::path& path);

}  // namespace whorl::h5
