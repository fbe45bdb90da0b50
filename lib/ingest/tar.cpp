// SPDX-License-Identifier: BSD-3-Clause
// Formats: POSIX.1-2017, "pax Interchange Format" and "ustar Interchange Format"; GNU tar manual, "Basic Tar
// Format".
#include "ingest/tar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/progress.hpp"

namespace whorl::ingest {

namespace {

constexpr std::int64_t block_size = 512;
constexpr std::int64_t longest_extension =
    1 << 20;  // bytes of a pax header or a long name; real ones have a few hundred
constexpr std::size_t longest_path = 4096;     // bytes; Linux's PATH_MAX
constexpr std::ptrdiff_t deepest_path = 64;    // folders
constexpr std::size_t most_entries = 1 << 27;  // pictures, and notes
using Block = std::array<std::uint8_t, block_size>;

struct Field {
  std::size_t offset, length;
};
constexpr Field name_field{0, 100}, size_field{124, 12}, checksum_field{148, 8}, magic_field{257, 6},
    prefix_field{345, 155};
constexpr std::size_t type_offset = 156;

std::string_view bytes_of(const Block& block, Field field) {
  return {reinterpret_cast<const char*>(block.data()) + field.offset, field.length};
}

std::string_view text_of(const Block& block, Field field) {
  const std::string_view bytes = bytes_of(block, field);
  return bytes.substr(0, bytes.find('\0'));
}

// Octal digits, or GNU's big-endian binary form marked by the top bit; nothing for anything else, negative
// numbers included.
std::optional<std::int64_t> number_of(const Block& block, Field field) {
  const std::string_view bytes = bytes_of(block, field);
  std::int64_t value = 0;
  if ((bytes[0] & 0x80) != 0) {
    if (bytes[0] != '\x80') return {};
    for (const char byte : bytes.substr(1)) {
      if (value >> 55 != 0) return {};
      value = value << 8 | static_cast<std::uint8_t>(byte);
    }
    return value;
  }
  const std::size_t begin = bytes.find_first_not_of(' ');
  const std::size_t end = std::min(bytes.find_first_of(std::string_view(" \0", 2), begin), bytes.size());
  if (begin == std::string_view::npos || begin == end) return {};
  const auto [last, error] = std::from_chars(bytes.data() + begin, bytes.data() + end, value, 8);
  if (error != std::errc() || last != bytes.data() + end || value < 0) return {};
  return value;
}

// The sum of the header's bytes with the checksum itself taken as blanks. Some old programs summed signed
// bytes.
bool checksum_holds(const Block& block) {
  std::int64_t plain = 0, with_sign = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool inside = i >= checksum_field.offset && i < checksum_field.offset + checksum_field.length;
    plain += inside ? ' ' : block[i];
    with_sign += inside ? ' ' : static_cast<std::int8_t>(block[i]);
  }
  const std::optional<std::int64_t> stored = number_of(block, checksum_field);
  return stored == plain || stored == with_sign;
}

bool is_zero(const Block& block) {
  return std::ranges::all_of(block, [](std::uint8_t byte) { return byte == 0; });
}

// "./a//b/" as "a/b"; empty if the path climbs out of the archive or holds a NUL.
std::string normal_path(std::string_view path) {
  std::string normal;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.find('\0') != std::string_view::npos) return {};
    if (!normal.empty()) normal += '/';
    normal += part;
  }
  return normal;
}

class TarWalk {
 public:
  explicit TarWalk(const InputFile& file) : file_(file) {
    listing_.location = file.path();
    listing_.archive = true;
    while (next_entry()) {
    }
    drop_replaced();
  }
  Listing take() { return std::move(listing_); }

 private:
  // What extension headers say of the entry that follows them.
  struct Extension {
    std::optional<std::string> path;
    std::optional<std::int64_t> size;
    bool sparse = false;
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw Error("{}: {} at byte {}", file_.path(), what, at_);
  }

  bool next_entry() {
    if (at_ + block_size > file_.size()) {
      fail("truncated, the archive's end mark is missing; get the file again. It ends");
    }
    Block header;
    file_.read(at_, header);
    if (is_zero(header)) return false;
    if (!checksum_holds(header)) fail("damaged archive, wrong header checksum");
    std::optional<std::int64_t> size = number_of(header, size_field);
    if (!size) fail("damaged archive, entry without a valid size");
    const char type = static_cast<char>(header[type_offset]);
    const bool extends = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    if (!extends && extension_.size) size = extension_.size;
    if (*size > file_.size() - at_ - block_size) {
      fail(fmt::format(
          "truncated archive, an entry of {} bytes does not fit into the file's {} bytes; it begins", *size,
          file_.size()));
    }
    if (extends) {
      read_extension(type, *size);
    } else {
      take_entry(header, type, *size);
      extension_ = {};
    }
    if (type == 'S') skip_sparse_map(header);
    at_ += block_size + (*size + block_size - 1) / block_size * block_size;
    return true;
  }

  // GNU's old form of sparse files: blocks that continue the header's map stand before the content.
  void skip_sparse_map(const Block& header) {
    constexpr std::size_t more_in_header = 482, more_in_map = 504;
    for (bool more = header[more_in_header] != 0; more;) {
      Block map;
      at_ += block_size;
      file_.read(at_, map);
      more = map[more_in_map] != 0;
    }
  }

  void read_extension(char type, std::int64_t size) {
    if (size > longest_extension) fail(fmt::format("damaged archive, a header extension of {} bytes", size));
    std::string content(static_cast<std::size_t>(size), '\0');
    file_.read(at_ + block_size, {reinterpret_cast<std::uint8_t*>(content.data()), content.size()});
    if (type == 'L') extension_.path = content.substr(0, content.find('\0'));
    if (type == 'x') read_pax(content);
  }

  // Records "LENGTH KEY=VALUE\n", LENGTH counting all of the record.
  void read_pax(std::string_view records) {
    while (!records.empty()) {
      std::size_t length = 0;
      const auto [last, error] = std::from_chars(records.data(), records.data() + records.size(), length);
      const auto digits = static_cast<std::size_t>(last - records.data());
      if (error != std::errc() || length > records.size() || length < digits + 3 || records[digits] != ' ' ||
          records[length - 1] != '\n') {
        fail("damaged archive, malformed pax header");
      }
      const std::string_view record = records.substr(digits + 1, length - digits - 2);
      records.remove_prefix(length);
      const std::size_t equals = record.find('=');
      if (equals == std::string_view::npos) fail("damaged archive, malformed pax header");
      take_pax(record.substr(0, equals), record.substr(equals + 1));
    }
  }

  void take_pax(std::string_view key, std::string_view value) {
    if (key == "path") extension_.path = value;
    if (key.starts_with("GNU.sparse.")) extension_.sparse = true;
    if (key != "size") return;
    std::int64_t size = 0;
    const auto [last, error] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (error != std::errc() || last != value.data() + value.size() || size < 0)
      fail("damaged archive, malformed pax size");
    extension_.size = size;
  }

  std::string full_name(const Block& header) const {
    if (extension_.path) return *extension_.path;
    std::string name(text_of(header, name_field));
    // GNU's own magic ("ustar" and a blank) uses the prefix field for other things.
    const bool has_prefix = bytes_of(header, magic_field) == std::string_view("ustar\0", 6);
    const std::string_view prefix = has_prefix ? text_of(header, prefix_field) : std::string_view();
    return prefix.empty() ? name : fmt::format("{}/{}", prefix, name);
  }

  void take_entry(const Block& header, char type, std::int64_t size) {
    const std::string name = full_name(header);
    const bool file = type == '0' || type == '\0' || type == '7';
    const bool folder = type == '5' || (type == '\0' && name.ends_with('/'));
    if (folder) return;
    if (listing_.entries.size() + listing_.notes.size() == most_entries)
      fail(fmt::format("more than the limit of {} entries", most_entries));
    const std::string path = normal_path(name);
    if (path.size() > longest_path) {
      skip(name, fmt::format("the path has {} bytes, more than the limit of {}", path.size(), longest_path));
    } else if (const auto depth = std::ranges::count(path, '/'); depth > deepest_path) {
      skip(name, fmt::format("it lies {} folders deep, more than the limit of {}", depth, deepest_path));
    } else if (path.empty()) {
      skip(name, "the path leads out of the archive");
    } else if (!file || extension_.sparse) {
      skip(name, fmt::format("a link, device or sparse file (type '{}')", type));
    } else {
      listing_.entries.push_back({path, at_ + block_size, size});
    }
  }

  void skip(const std::string& name, const std::string& reason) {
    constexpr std::size_t shown = 200;
    const std::string clipped = name.substr(0, shown) + (name.size() > shown ? "..." : "");
    listing_.notes.push_back(printable(fmt::format("{}: skipped, {}", clipped, reason)));
  }

  void drop_replaced() {
    std::map<std::string_view, std::int64_t> last;
    for (const Entry& entry : listing_.entries) last[entry.path] = entry.offset;
    std::vector<Entry> kept;
    for (const Entry& entry : listing_.entries) {
      if (last.at(entry.path) == entry.offset) kept.push_back(entry);
    }
    listing_.entries = std::move(kept);
  }

  const InputFile& file_;
  std::int64_t at_ = 0;  // of the header in hand
  Extension extension_;
  Listing listing_;
};

}  // namespace

bool is_tar(const InputFile& file) {
  Block first;
  if (file.read_some(0, first) != first.size()) return false;
  return checksum_holds(first) || (is_zero(first) && file.size() >= 2 * block_size);
}

Listing list_tar(const InputFile& file) {
  return TarWalk(file).take();
}

}  // namespace whorl::ingest
