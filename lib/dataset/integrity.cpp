// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/integrity.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "base/block_range.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file_system.hpp"
#include "dataset/reader.hpp"

namespace whorl::dataset {

namespace {

using Table = std::array<std::uint64_t, rest_parts + 1>;
constexpr const char* table_name = "rest_checksums";

// A dataset that lies in one piece of the file.
struct Extent {
  std::string name;
  Range bytes;
  std::int64_t rows = 0;
  bool covered = true;  // by rest_checksums
};

void add_extent(const h5::File& file, const std::string& name, bool covered, std::vector<Extent>& extents) {
  if (!file.contains(name)) return;
  const auto dataset = h5::Dataset::open(file, name);
  if (dataset.rows() == 0) return;
  const std::int64_t offset = dataset.file_offset();
  require(offset >= 0,
          "{}: {} does not lie in one piece; another program has laid the file out anew, so that only its "
          "pictures can be verified",
          file.path(), name);
  extents.push_back(
      {name, {offset, offset + dataset.stored_bytes()}, static_cast<std::int64_t>(dataset.rows()), covered});
}

// Those that may be there.
std::vector<std::string> names_of_pictures() {
  std::vector<std::string> names;
  for (const Split split : {Split::train, Split::test})
    for (const char* leaf : {"images", "jpeg_bytes"}) names.push_back(object_name(split, leaf));
  return names;
}

// Those of the datasets beside the pictures that may be there.
std::vector<std::string> names_of_lists() {
  std::vector<std::string> names{"rejected/name", "rejected/reason"};
  for (const Split split : {Split::train, Split::test})
    for (const char* leaf : {"jpeg_offsets", "labels", "names", "checksums"})
      names.push_back(object_name(split, leaf));
  return names;
}

// In the order in which they lie in the file.
std::vector<Extent> extents_of(const h5::File& file) {
  std::vector<Extent> extents;
  for (const std::string& name : names_of_pictures()) add_extent(file, name, false, extents);
  for (const std::string& name : names_of_lists()) add_extent(file, name, true, extents);
  require(file.contains(table_name), "{} has no {}", file.path(), table_name);
  add_extent(file, table_name, false, extents);
  std::ranges::sort(extents, {}, [](const Extent& extent) { return extent.bytes.begin; });
  return extents;
}

// The bytes of the file that the table covers, as ranges of the file.
std::vector<Range> rest_of(const std::vector<Extent>& extents, std::int64_t file_size) {
  std::vector<Range> rest;
  std::int64_t begin = 0;
  for (const Extent& extent : extents) {
    if (extent.covered) continue;
    if (begin < extent.bytes.begin) rest.push_back({begin, extent.bytes.begin});
    begin = extent.bytes.end;
  }
  if (begin < file_size) rest.push_back({begin, file_size});
  return rest;
}

// Part `index` of the rest, as ranges of the file.
std::vector<Range> part_of(const std::vector<Range>& rest, int index) {
  std::int64_t total = 0;
  for (const Range& range : rest) total += range.size();
  const Range part = block_range(total, rest_parts, index);
  std::vector<Range> result;
  std::int64_t passed = 0;  // bytes of the rest before `range`
  for (const Range& range : rest) {
    const Range cut{std::max(range.begin, range.begin + part.begin - passed),
                    std::min(range.end, range.begin + part.end - passed)};
    if (cut.begin < cut.end) result.push_back(cut);
    passed += range.size();
  }
  return result;
}

std::uint64_t checksum_of_ranges(const StableFile& bytes, const std::vector<Range>& ranges) {
  std::vector<std::byte> joined;
  for (const Range& range : ranges) {
    const std::size_t before = joined.size();
    joined.resize(before + static_cast<std::size_t>(range.size()));
    bytes.read(range.begin, std::span(joined).subspan(before), "the file");
  }
  return checksum_of(joined);
}

std::uint64_t checksum_of_table(const Table& table) {
  return checksum_of(std::as_bytes(std::span(table).first(rest_parts)));
}

Table make_table(const StableFile& bytes, const std::vector<Range>& rest) {
  Table table{};
  for (int i = 0; i < rest_parts; ++i)
    table[static_cast<std::size_t>(i)] = checksum_of_ranges(bytes, part_of(rest, i));
  table[rest_parts] = checksum_of_table(table);
  return table;
}

const Extent& table_extent(const h5::File& file, const std::vector<Extent>& extents) {
  const auto found = std::ranges::find(extents, table_name, &Extent::name);
  require(found != extents.end() && found->bytes.size() == sizeof(Table),
          "{}: {} is not a list of {} numbers", file.path(), table_name, rest_parts + 1);
  return *found;
}

std::string describe(const Range& range, const std::vector<Extent>& extents) {
  std::string objects;
  for (const Extent& extent : extents) {
    const Range common{std::max(range.begin, extent.bytes.begin), std::min(range.end, extent.bytes.end)};
    if (!extent.covered || common.begin >= common.end) continue;
    const std::int64_t row_bytes = extent.bytes.size() / extent.rows;
    objects += fmt::format("{}{}, rows {} to {}", objects.empty() ? "" : "; ", extent.name,
                           (common.begin - extent.bytes.begin) / row_bytes,
                           (common.end - 1 - extent.bytes.begin) / row_bytes);
  }
  return fmt::format("bytes {} to {}: {}", range.begin, range.end - 1,
                     objects.empty() ? "HDF5's own structures" : objects);
}

std::string describe_picture(const Reader& reader, Split split, std::int64_t row) {
  std::string name;
  try {
    name = reader.names(split, row, 1).front();
  } catch (const Error&) {
    name = "its name cannot be read";
  }
  return fmt::format("{} picture {} ({})", to_string(split), row, name);
}

bool is_damaged(const Reader& reader, Split split, std::int64_t row) {
  try {
    return !reader.is_intact(split, row);
  } catch (const Error&) {
    return true;  // its place in the file cannot be read
  }
}

}  // namespace

void seal(const std::filesystem::path& path) {
  const StableFile bytes(path);
  Range place;
  std::vector<Range> rest;
  {
    const h5::File file = h5::File::open_read(path);
    const std::vector<Extent> extents = extents_of(file);
    place = table_extent(file, extents).bytes;
    rest = rest_of(extents, bytes.size());
  }
  const Table table = make_table(bytes, rest);
  write_at(path, place.begin, std::as_bytes(std::span(table)));
}

bool is_laid_out_anew(const h5::File& file) {
  const auto is_chunked = [&](const std::string& name) {
    return file.contains(name) && h5::Dataset::open(file, name).is_chunked();
  };
  return std::ranges::any_of(names_of_pictures(), is_chunked) ||
         std::ranges::any_of(names_of_lists(), is_chunked) || is_chunked(table_name);
}

std::vector<std::string> damage_beside_pictures(const h5::File& file, const StableFile& bytes) {
  const std::vector<Extent> extents = extents_of(file);
  Table stored{};
  bytes.read(table_extent(file, extents).bytes.begin, std::as_writable_bytes(std::span(stored)), table_name);
  if (stored[rest_parts] != checksum_of_table(stored)) return {fmt::format("{} itself", table_name)};
  std::vector<std::string> damage;
  const std::vector<Range> rest = rest_of(extents, bytes.size());
  for (int i = 0; i < rest_parts; ++i) {
    const std::vector<Range> ranges = part_of(rest, i);
    if (checksum_of_ranges(bytes, ranges) == stored[static_cast<std::size_t>(i)]) continue;
    for (const Range& range : ranges) damage.push_back(describe(range, extents));
  }
  return damage;
}

std::vector<std::string> find_damage(const Reader& reader, int parts, int part) {
  std::vector<std::string> damage;
  if (part == 0 && !reader.is_laid_out_anew()) damage = reader.damage_beside_pictures();
  for (const Split split : {Split::train, Split::test}) {
    const Range mine = block_range(reader.info().count(split), parts, part);
    for (std::int64_t row = mine.begin; row < mine.end; ++row)
      if (is_damaged(reader, split, row)) damage.push_back(describe_picture(reader, split, row));
  }
  return damage;
}

}  // namespace whorl::dataset
