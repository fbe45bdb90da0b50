// SPDX-License-Identifier: BSD-3-Clause
#include "h5/types.hpp"

#include "base/error.hpp"

namespace whorl::h5 {

namespace {

constexpr std::size_t longest_text = 1 << 20;  // bytes

}  // namespace

Type string_type(std::size_t width) {
  Type type(check_id(H5Tcopy(H5T_C_S1), "make a text type"));
  check(H5Tset_size(type.get(), width), "set the size of a text type");
  check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "set the padding of a text type");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "set the encoding of a text type");
  return type;
}

std::size_t string_width(const Type& type, const std::string& what) {
  require(H5Tget_class(type.get()) == H5T_STRING && H5Tis_variable_str(type.get()) == 0,
          "cannot {}: it is not text of fixed length", what);
  const std::size_t width = H5Tget_size(type.get());
  require(width > 0 && width <= longest_text, "cannot {}: texts of {} bytes, more than the limit of {}", what,
          width, longest_text);
  return width;
}

std::string pack_strings(const std::vector<std::string>& values, std::size_t width) {
  std::string packed;
  packed.reserve(values.size() * width);
  for (const std::string& value : values) {
    require(value.size() <= width, "\"{}\" is longer than {} bytes", value, width);
    packed.append(value).append(width - value.size(), '\0');
  }
  return packed;
}

std::vector<std::string> unpack_strings(const std::string& packed, std::size_t width) {
  std::vector<std::string> values;
  for (std::size_t offset = 0; offset < packed.size(); offset += width) {
    const std::string field = packed.substr(offset, width);
    values.push_back(field.substr(0, field.find_last_not_of('\0') + 1));
  }
  return values;
}

}  // namespace whorl::h5
