// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/tables.hpp"

#include <algorithm>
#include <functional>
#include <string>

#include "base/block_range.hpp"

namespace whorl::ingest {

namespace {

using dataset::Split;

// A list of strings, `text(i)` its row i; every rank writes one block of it.
void write_list(const mpi::Communicator& comm, const h5::File& file, const std::string& name,
                std::int64_t count, const std::function<const std::string&(std::int64_t)>& text) {
  std::size_t width = 1;
  for (std::int64_t i = 0; i < count; ++i) width = std::max(width, text(i).size());
  h5::create_strings(file, name, static_cast<hsize_t>(count), width);
  const Range mine = block_range(count, comm.size(), comm.rank());
  std::vector<std::string> values;
  for (std::int64_t i = mine.begin; i < mine.end; ++i) values.push_back(text(i));
  h5::write_strings(file, name, static_cast<hsize_t>(mine.begin), values);
}

// A list of numbers, one of each of the `items`; every rank writes one block of it.
template <typename T, typename NumberOf>
void write_numbers(const mpi::Communicator& comm, const h5::File& file, const std::string& name,
                   const std::vector<std::int64_t>& items, NumberOf number_of) {
  const auto dataset = h5::Dataset::create<T>(file, name, {items.size()});
  const Range mine = block_range(std::ssize(items), comm.size(), comm.rank());
  std::vector<T> numbers;
  for (std::int64_t i = mine.begin; i < mine.end; ++i) numbers.push_back(number_of(items[i]));
  dataset.write_rows(static_cast<hsize_t>(mine.begin), std::span<const T>(numbers));
}

}  // namespace

void write_tables(const mpi::Communicator& comm, const h5::File& file, const Manifest& manifest,
                  const Contents& contents, const std::vector<Reject>& rejects) {
  for (const Split split : {Split::train, Split::test}) {
    const std::vector<std::int64_t>& items = contents.of(split);
    write_numbers<std::int32_t>(comm, file, dataset::object_name(split, "labels"), items,
                                [&](std::int64_t item) { return manifest.items[item].label; });
    write_list(comm, file, dataset::object_name(split, "names"), std::ssize(items),
               [&](std::int64_t i) -> const std::string& { return manifest.items[items[i]].name; });
  }
  write_list(comm, file, "rejected/name", std::ssize(rejects),
             [&](std::int64_t i) -> const std::string& { return manifest.items[rejects[i].item].name; });
  write_list(comm, file, "rejected/reason", std::ssize(rejects),
             [&](std::int64_t i) -> const std::string& { return rejects[i].reason; });
}

void write_checksums(const mpi::Communicator& comm, const h5::File& file, const Manifest& manifest,
                     const Contents& contents, const Journal& journal) {
  std::vector<std::uint64_t> checksums(manifest.items.size(), 0);
  for (const StoredPicture& picture : journal.pictures()) checksums[picture.item] = picture.checksum;
  comm.sum_in_place(std::span(checksums));
  for (const Split split : {Split::train, Split::test})
    write_numbers<std::uint64_t>(comm, file, dataset::object_name(split, "checksums"), contents.of(split),
                                 [&](std::int64_t item) { return checksums[item]; });
  h5::Dataset::create<std::uint64_t>(file, "rest_checksums", {dataset::rest_parts + 1});
}

void write_attributes(const h5::File& file, const Manifest& manifest, const ChannelSums& sums,
                      dataset::Storage storage, int size, const std::string& recipe) {
  h5::write_attribute(file, "/", "format", std::string(dataset::format_name));
  h5::write_attribute(file, "/", "schema_version", dataset::schema_version);
  h5::write_attribute(file, "/", "class_names", manifest.class_names);
  h5::write_attribute(file, "/", "channel_mean", std::span<const double>(sums.mean()));
  h5::write_attribute(file, "/", "channel_std", std::span<const double>(sums.standard_deviation()));
  h5::write_attribute(file, "/", "source_digest", manifest.digest());
  h5::write_attribute(file, "/", "storage", std::string(dataset::to_string(storage)));
  h5::write_attribute(file, "/", "image_size", std::int64_t{size});
  h5::write_attribute(file, "/", "whorl_version", std::string(WHORL_VERSION));
  h5::write_attribute(file, "/", "recipe", recipe);
}

}  // namespace whorl::ingest
