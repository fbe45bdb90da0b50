// SPDX-License-Identifier: BSD-3-Clause
#include "hdf5.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <sstream>
#include <vector>

#include "base/digest.hpp"
#include "h5/file.hpp"
#include "h5/seal.hpp"

namespace whorl::fuzz {

namespace {

constexpr std::string_view magic = "whorl-seal ";
constexpr std::size_t length_digits = 10, last_line = 55;

std::string digest_of_text(std::string_view text) {
  return digest_of(std::as_bytes(std::span(text)));
}

/// Without what the file has of a seal.
std::string_view content_of(std::string_view file) {
  if (file.size() < last_line) return file;
  const std::string_view last = file.substr(file.size() - last_line);
  const char* digits = last.data() + magic.size();
  std::size_t table = 0;
  std::from_chars(digits, digits + length_digits, table);
  if (!last.starts_with(magic) || table > file.size() - last_line) return file;
  return file.substr(0, file.size() - last_line - table);
}

template <typename T>
std::vector<T> values_of(std::string_view bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

void write_attribute(const h5::File& file, const char* name, const std::string& field) {
  const std::string value = field.substr(1);
  if (field[0] == 't') h5::write_attribute(file, "/", name, value);
  if (field[0] == 'r') h5::write_attribute(file, "/", name, values_of<double>(value));
  if (field[0] == 'i' && value.size() >= sizeof(std::int64_t))
    h5::write_attribute(file, "/", name, values_of<std::int64_t>(value)[0]);
  if (field[0] == 's') {
    std::vector<std::string> texts;
    std::istringstream lines(value);
    for (std::string line; std::getline(lines, line);) texts.push_back(line);
    h5::write_attribute(file, "/", name, texts);
  }
}

template <typename T>
void write_list(const h5::File& file, const char* name, std::string_view bytes) {
  const std::vector<T> values = values_of<T>(bytes);
  h5::Dataset::create<T>(file, name, {values.size()}).template write_rows<T>(0, values);
}

void write_dataset(const h5::File& file, const char* name, const std::string& field) {
  const std::string_view value = std::string_view(field).substr(1);
  if (field[0] == 'f') write_list<float>(file, name, value);
  if (field[0] == 'n') write_list<std::int32_t>(file, name, value);
  if (field[0] == 'b') write_list<std::uint8_t>(file, name, value);
}

/// False where HDF5 cannot hold them (an attribute of 64 KB).
bool write_sealed(const std::string& path, const std::vector<std::string>& fields,
                  std::initializer_list<const char*> attributes,
                  std::initializer_list<const char*> datasets) {
  try {
    h5::File file = h5::File::create(path);
    auto field = fields.begin();
    for (const char* name : attributes) {
      if (!field->empty()) write_attribute(file, name, *field);
      ++field;
    }
    for (const char* name : datasets) {
      if (!field->empty()) write_dataset(file, name, *field);
      ++field;
    }
    file.close();
    h5::seal(path, {});
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::string with_seal(std::string_view file) {
  const std::string_view content = content_of(file);
  const std::string table = fmt::format("rest {} {}\n", content.size(), digest_of_text(content));
  return fmt::format("{}{}{}{:0{}} {}\n", content, table, magic, table.size(), length_digits,
                     digest_of_text(table));
}

void take_sealed(std::span<const std::uint8_t> bytes, std::initializer_list<const char*> attributes,
                 std::initializer_list<const char*> datasets,
                 const std::function<void(const std::string&)>& take) {
  const std::string_view as_is(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (as_is.starts_with("\x89HDF")) {
    const TemporaryFile file(as_is), sealed(with_seal(as_is));
    h5::verify_seal(sealed.path());
    for (const TemporaryFile* one : {&file, &sealed}) refuse_or_take([&] { take(one->path()); });
    return;
  }
  const TemporaryFile file(std::string_view{});
  if (write_sealed(file.path(), cut(bytes, attributes.size() + datasets.size()), attributes, datasets))
    refuse_or_take([&] { take(file.path()); });
}

}  // namespace whorl::fuzz
