// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "h5/handles.hpp"

namespace whorl::h5 {

/// HDF5's name of a C++ type in memory.
template <typename T>
hid_t native_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>)
    return H5T_NATIVE_UINT8;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return H5T_NATIVE_INT32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return H5T_NATIVE_INT64;
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return H5T_NATIVE_UINT64;
  else if constexpr (std::is_same_v<T, float>)
    return H5T_NATIVE_FLOAT;
  else if constexpr (std::is_same_v<T, double>)
    return H5T_NATIVE_DOUBLE;
  else
    static_assert(sizeof(T) == 0, "no HDF5 type for this type");
}

/// UTF-8 text of `width` bytes, padded with zeros.
Type string_type(std::size_t width);
/// Width of a stored string type; throws if it is not text of fixed length. `what` says what was tried, as
/// for check().
std::size_t string_width(const Type& type, const std::string& what);
/// The texts one after the other, each padded to `width`; throws if one is longer.
std::string pack_strings(const std::vector<std::string>& values, std::size_t width);
std::vector<std::string> unpack_strings(const std::string& packed, std::size_t width);

}  // namespace whorl::h5
