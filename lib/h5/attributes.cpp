// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "base/error.hpp"
#include "h5/file.hpp"
#include "h5/types.hpp"

namespace whorl::h5 {

namespace {

std::string describe_attribute(const File& file, const std::string& object, const std::string& name) {
  return "the attribute " + name + " of " + object + " in " + file.path();
}

Object open_object(const File& file, const std::string& object) {
  return Object(
      check_id(H5Oopen(file.id(), object.c_str(), H5P_DEFAULT), "open " + object + " in " + file.path()));
}

Space scalar_space() {
  return Space(check_id(H5Screate(H5S_SCALAR), "describe a scalar"));
}
Space list_space(hsize_t count) {
  return Space(check_id(H5Screate_simple(1, &count, nullptr), "describe a list"));
}

void write(const File& file, const std::string& object, const std::string& name, hid_t type,
           const Space& space, const void* values) {
  const std::string what = "write " + describe_attribute(file, object, name);
  const Object owner = open_object(file, object);
  const Attribute attribute(check_id(
      H5Acreate2(owner.get(), name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT), what, file.path()));
  if (H5Sget_simple_extent_npoints(space.get()) > 0)
    check(H5Awrite(attribute.get(), type, values), what, file.path());
}

constexpr std::size_t most_bytes = 1 << 24;  // of an attribute; HDF5 keeps most of them below 64 KB

// An attribute opened for reading.
struct Source {
  std::string what;
  Attribute attribute;
  std::size_t count = 0;

  Source(const File& file, const std::string& object, const std::string& name)
      : what("read " + describe_attribute(file, object, name)) {
    const Object owner = open_object(file, object);
    attribute = Attribute(check_id(H5Aopen(owner.get(), name.c_str(), H5P_DEFAULT), what));
    const Space space(check_id(H5Aget_space(attribute.get()), what));
    const hssize_t points = H5Sget_simple_extent_npoints(space.get());
    require(points >= 0, "cannot {}: it has no extent", what);
    const Type stored(check_id(H5Aget_type(attribute.get()), what));
    const std::size_t size = std::max<std::size_t>(H5Tget_size(stored.get()), 1);
    require(static_cast<std::size_t>(points) <= most_bytes / size,
            "cannot {}: it claims {} values of {} bytes, more than the limit of {} bytes", what, points, size,
            most_bytes);
    count = static_cast<std::size_t>(points);
  }

  void read(hid_t type, void* values) const {
    if (count > 0) check(H5Aread(attribute.get(), type, values), what);
  }

  std::vector<std::string> read_texts() const {
    const Type stored(check_id(H5Aget_type(attribute.get()), what));
    const std::size_t width = string_width(stored, what);
    const Type type = string_type(width);
    std::string packed(count * width, '\0');
    read(type.get(), packed.data());
    return unpack_strings(packed, width);
  }
};

}  // namespace

void write_attribute(const File& file, const std::string& object, const std::string& name,
                     const std::string& text) {
  const Type type = string_type(std::max<std::size_t>(text.size(), 1));
  const std::string packed = pack_strings({text}, std::max<std::size_t>(text.size(), 1));
  write(file, object, name, type.get(), scalar_space(), packed.data());
}

void write_attribute(const File& file, const std::string& object, const std::string& name,
                     std::int64_t value) {
  write(file, object, name, native_type<std::int64_t>(), scalar_space(), &value);
}

void write_attribute(const File& file, const std::string& object, const std::string& name,
                     std::span<const double> values) {
  write(file, object, name, native_type<double>(), list_space(values.size()), values.data());
}

void write_attribute(const File& file, const std::string& object, const std::string& name,
                     const std::vector<std::string>& values) {
  std::size_t width = 1;
  for (const std::string& value : values) width = std::max(width, value.size());
  const std::string packed = pack_strings(values, width);
  write(file, object, name, string_type(width).get(), list_space(values.size()), packed.data());
}

bool has_attribute(const File& file, const std::string& object, const std::string& name) {
  const Object owner = open_object(file, object);
  const htri_t exists = H5Aexists(owner.get(), name.c_str());
  check(exists, "look up " + describe_attribute(file, object, name));
  return exists != 0;
}

std::string read_text_attribute(const File& file, const std::string& object, const std::string& name) {
  const Source source(file, object, name);
  require(source.count == 1, "cannot {}: it holds {} values, not one text", source.what, source.count);
  return source.read_texts().front();
}

std::int64_t read_integer_attribute(const File& file, const std::string& object, const std::string& name) {
  const Source source(file, object, name);
  require(source.count == 1, "cannot {}: it holds {} values, not one number", source.what, source.count);
  std::int64_t value = 0;
  source.read(native_type<std::int64_t>(), &value);
  return value;
}

std::vector<double> read_real_attribute(const File& file, const std::string& object,
                                        const std::string& name) {
  const Source source(file, object, name);
  std::vector<double> values(source.count);
  source.read(native_type<double>(), values.data());
  return values;
}

std::vector<std::string> read_strings_attribute(const File& file, const std::string& object,
                                                const std::string& name) {
  return Source(file, object, name).read_texts();
}

}  // namespace whorl::h5
