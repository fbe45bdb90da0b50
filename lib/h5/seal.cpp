// SPDX-License-Identifier: BSD-3-Clause
#include "h5/seal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/digest.hpp"
#include "base/file_system.hpp"
#include "h5/file.hpp"

namespace whorl::h5 {

namespace {

constexpr std::string_view magic = "whorl-seal ";
constexpr std::size_t length_digits = 10, digest_digits = 32;
/// The last line: magic, length of what stands before it in the seal, digest of that, end of line.
constexpr std::size_t last_line = magic.size() + length_digits + 1 + digest_digits + 1;

/// Where a dataset lies in its file.
struct Part {
  std::size_t offset = 0, size = 0;
  std::string digest, name;
};

std::string digest_of_text(std::string_view text) {
  return digest_of(std::as_bytes(std::span(text)));
}

/// Of what lies between the parts, which are sorted.
std::string digest_of_rest(std::string_view content, const std::vector<Part>& parts) {
  Digest digest;
  std::size_t end = 0;
  for (const Part& part : parts) {
    digest.add(content.substr(end, part.offset - end));
    end = part.offset + part.size;
  }
  digest.add(content.substr(end));
  return digest.hex();
}

std::vector<Part> find_parts(const File& file, const std::vector<std::string>& datasets) {
  std::vector<Part> parts;
  for (const std::string& name : datasets) {
    const Dataset dataset = Dataset::open(file, name);
    const std::int64_t offset = dataset.file_offset();
    if (offset >= 0)
      parts.push_back(
          {static_cast<std::size_t>(offset), static_cast<std::size_t>(dataset.stored_bytes()), "", name});
  }
  std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.offset < b.offset; });
  return parts;
}

std::string last_line_of(std::string_view table) {
  return fmt::format("{}{:0{}} {}\n", magic, table.size(), length_digits, digest_of_text(table));
}

/// Takes a word and the separator behind it off the front of `text`.
std::string_view take_word(std::string_view& text, char separator) {
  const std::string_view word = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

std::optional<std::size_t> number(std::string_view word) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

struct Table {
  std::vector<Part> parts;
  std::size_t content_size = 0;
  std::string digest_of_rest;
};

/// The table of a seal whose digest is right; nothing where it makes no sense all the same.
std::optional<Table> parse(std::string_view text) {
  Table table;
  std::size_t end = 0;
  while (!text.empty()) {
    std::string_view line = take_word(text, '\n');
    const std::string_view first = take_word(line, ' ');
    const std::optional<std::size_t> size = number(take_word(line, ' '));
    const std::string digest(take_word(line, ' '));
    if (!size) return std::nullopt;
    if (first == "rest") {
      table.content_size = *size;
      table.digest_of_rest = digest;
      return text.empty() && end <= *size ? std::optional(table) : std::nullopt;
    }
    const std::optional<std::size_t> offset = number(first);
    if (!offset || *offset < end || *size > SIZE_MAX - *offset) return std::nullopt;
    end = *offset + *size;
    table.parts.push_back({*offset, *size, digest, std::string(line)});
  }
  return std::nullopt;
}

/// The table in front of the last line; empty where there is no whole seal.
std::string_view find_table(std::string_view file) {
  if (file.size() < last_line) return {};
  const std::string_view end = file.substr(file.size() - last_line);
  const std::optional<std::size_t> length = number(end.substr(magic.size(), length_digits));
  if (!length || *length > file.size() - last_line) return {};
  const std::string_view table = file.substr(file.size() - last_line - *length, *length);
  return last_line_of(table) == end ? table : std::string_view();
}

}  // namespace

void seal(const std::filesystem::path& path, const std::vector<std::string>& datasets) {
  std::vector<Part> parts = find_parts(File::open_read(path), datasets);
  const std::string content = read_text_file(path);
  std::string table;
  for (const Part& part : parts) {
    const std::string_view bytes = std::string_view(content).substr(part.offset, part.size);
    table += fmt::format("{} {} {} {}\n", part.offset, part.size, digest_of_text(bytes), part.name);
  }
  table += fmt::format("rest {} {}\n", content.size(), digest_of_rest(content, parts));
  append_to_file(path, table + last_line_of(table));
}

void verify_seal(const std::filesystem::path& path) {
  const std::string file = read_text_file(path);
  const std::string_view text = find_table(file);
  if (text.empty())
    throw Damaged(
        "{} is damaged: its seal, the checksums at its end, is missing or changed; it was cut short, or "
        "is no file of this kind",
        path.string());
  const std::optional<Table> table = parse(text);
  if (!table || table->content_size != file.size() - text.size() - last_line)
    throw Damaged("{} is damaged: its length is not what was sealed", path.string());
  const std::string_view content = std::string_view(file).substr(0, table->content_size);
  for (const Part& part : table->parts) {
    if (digest_of_text(content.substr(part.offset, part.size)) != part.digest)
      throw Damaged("{} is damaged: the dataset {} (bytes {} to {}) is not what was written", path.string(),
                    part.name, part.offset, part.offset + part.size);
  }
  if (digest_of_rest(content, table->parts) != table->digest_of_rest)
    throw Damaged("{} is damaged: HDF5's own structures or attributes are not what was written",
                  path.string());
}

}  // namespace whorl::h5
