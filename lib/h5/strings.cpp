// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.hpp"
#include "h5/create_dataset.hpp"
#include "h5/file.hpp"
#include "h5/types.hpp"

namespace whorl::h5 {

namespace {

struct StringDataset {
  DatasetId id;
  std::string what;  // name and file, for messages
  hsize_t count = 0;
  std::size_t width = 0;
};

StringDataset open_strings(const File& file, const std::string& name) {
  StringDataset strings;
  strings.what = name + " in " + file.path();
  strings.id = DatasetId(check_id(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), "open " + strings.what));
  const Type type(check_id(H5Dget_type(strings.id.get()), "read the type of " + strings.what));
  strings.width = string_width(type, "read " + strings.what);
  const Space space(check_id(H5Dget_space(strings.id.get()), "read the shape of " + strings.what));
  require(H5Sget_simple_extent_ndims(space.get()) == 1, "{} is not a list", strings.what);
  if (!file.is_parallel()) require_stored(file, strings.id, strings.what);
  check(H5Sget_simple_extent_dims(space.get(), &strings.count, nullptr), "read the shape of " + strings.what);
  return strings;
}

Space select(const StringDataset& strings, hsize_t first, hsize_t count) {
  require(first <= strings.count && count <= strings.count - first,
          "{} has {} rows; {} from {} on do not exist", strings.what, strings.count, count, first);
  Space space(check_id(H5Dget_space(strings.id.get()), "read the shape of " + strings.what));
  check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &first, nullptr, &count, nullptr),
        "select rows of " + strings.what);
  return space;
}

Space list_space(hsize_t count) {
  return Space(check_id(H5Screate_simple(1, &count, nullptr), "describe a list"));
}

std::vector<std::string> read(const StringDataset& strings, hsize_t first, hsize_t count) {
  const Space in_file = select(strings, first, count);
  if (count == 0) return {};
  const Space in_memory = list_space(count);
  const Type type = string_type(strings.width);
  std::string packed(count * strings.width, '\0');
  check(H5Dread(strings.id.get(), type.get(), in_memory.get(), in_file.get(), H5P_DEFAULT, packed.data()),
        "read " + strings.what);
  return unpack_strings(packed, strings.width);
}

}  // namespace

void create_strings(const File& file, const std::string& name, hsize_t count, std::size_t width) {
  const Type type = string_type(width);
  create_dataset(file, name, type.get(), {count});
}

void write_strings(const File& file, const std::string& name, hsize_t first,
                   const std::vector<std::string>& values) {
  const StringDataset strings = open_strings(file, name);
  const Space in_file = select(strings, first, values.size());
  if (values.empty()) return;
  const Space in_memory = list_space(values.size());
  const Type type = string_type(strings.width);
  const std::string packed = pack_strings(values, strings.width);
  check(H5Dwrite(strings.id.get(), type.get(), in_memory.get(), in_file.get(), H5P_DEFAULT, packed.data()),
        "write " + strings.what, file.path());
}

std::vector<std::string> read_strings(const File& file, const std::string& name) {
  const StringDataset strings = open_strings(file, name);
  return read(strings, 0, strings.count);
}

std::vector<std::string> read_strings(const File& file, const std::string& name, hsize_t first,
                                      hsize_t count) {
  return read(open_strings(file, name), first, count);
}

}  // namespace whorl::h5
