// SPDX-License-Identifier: BSD-3-Clause
#include "schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "h5/file.hpp"

namespace whorl::inspect {
namespace {

using Names = std::vector<std::string>;

// HDF5 calls these back through C, which no exception may cross.
herr_t collect(Names& names, const char* name) noexcept {
  try {
    names.emplace_back(name);
    return 0;
  } catch (...) {
    return -1;
  }
}
herr_t on_object(hid_t, const char* name, const H5O_info_t* info, void* names) {
  return info->type == H5O_TYPE_DATASET ? collect(*static_cast<Names*>(names), name) : 0;
}
herr_t on_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  return collect(*static_cast<Names*>(names), name);
}

/// "uint8", "float64", "text (23 bytes)".
std::string type_name(hid_t type) {
  const std::size_t bytes = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", 8 * bytes);
    case H5T_FLOAT:
      return fmt::format("float{}", 8 * bytes);
    case H5T_STRING:
      return fmt::format("text ({} bytes)", bytes);
    default:
      return "other";
  }
}

void print_dataset(const h5::File& file, const std::string& name) {
  const h5::DatasetId dataset(h5::check_id(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), "open " + name));
  const h5::Type type(h5::check_id(H5Dget_type(dataset.get()), "read the type of " + name));
  const auto shape = h5::Dataset::open(file, name).shape();
  fmt::print("  {:<22} {:<18} ({}{})  {}\n", name, type_name(type.get()), fmt::join(shape, ", "),
             shape.size() == 1 ? "," : "", format_bytes(double(H5Dget_storage_size(dataset.get()))));
}

std::string attribute_text(const h5::File& file, const std::string& name) {
  const h5::Attribute attribute(
      h5::check_id(H5Aopen(file.id(), name.c_str(), H5P_DEFAULT), "open attribute " + name));
  const h5::Type type(h5::check_id(H5Aget_type(attribute.get()), "read the type of " + name));
  const h5::Space space(h5::check_id(H5Aget_space(attribute.get()), "read the shape of " + name));
  const bool single = H5Sget_simple_extent_type(space.get()) == H5S_SCALAR;
  switch (H5Tget_class(type.get())) {
    case H5T_STRING:
      return single ? h5::read_text_attribute(file, "/", name)
                    : fmt::format("{}", fmt::join(h5::read_strings_attribute(file, "/", name), ", "));
    case H5T_INTEGER:
      return std::to_string(h5::read_integer_attribute(file, "/", name));
    case H5T_FLOAT:
      return fmt::format("{:.6f}", fmt::join(h5::read_real_attribute(file, "/", name), ", "));
    default:
      return "(of another type)";
  }
}

}  // namespace

void print_schema(const std::filesystem::path& path) {
  const h5::File file = h5::File::open_read(path);
  Names datasets, attributes;
  h5::check(H5Ovisit1(file.id(), H5_INDEX_NAME, H5_ITER_NATIVE, on_object, &datasets),
            "list the datasets of " + path.string());
  h5::check(H5Aiterate2(file.id(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, on_attribute, &attributes),
            "list the attributes of " + path.string());
  fmt::print("\ndatasets\n");
  for (const std::string& name : datasets) print_dataset(file, name);
  fmt::print("\nattributes\n");
  for (const std::string& name : attributes)
    fmt::print("  {:<22} {}\n", name, printable(attribute_text(file, name)));
}

}  // namespace whorl::inspect
