// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "input.hpp"

// HDF5 files with a seal (h5/seal.hpp), which mutations never hit.
namespace whorl::fuzz {

/// The HDF5 file with a seal over all that stands before it, in the place of what it has of one.
std::string with_seal(std::string_view file);

/// Gives `take` the path of a file, twice where the input is an HDF5 file: as it is, and sealed. Any other
/// input is fields, cut(), of which a sealed file is made: values of the `attributes`, then of the
/// `datasets`, in this order. The first letter of a field says of which type it is: t text, s texts (lines),
/// i an integer (its 8 bytes), r reals, f float32, n int32, b bytes; with any other, the file lacks it. (HDF5
/// has checksums of its own over its headers. Those are not renewed: 1.10 itself was soon found to read out
/// of bounds where a changed header has a right one, which only somebody who forges files brings about.)
void take_sealed(std::span<const std::uint8_t> bytes, std::initializer_list<const char*> attributes,
                 std::initializer_list<const char*> datasets,
                 const std::function<void(const std::string&)>& take);

}  // namespace whorl::fuzz
