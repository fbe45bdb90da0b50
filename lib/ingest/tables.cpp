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

void write_labels(const mpi::Communicator& comm, const h5::File& file, Split split, const Manifest& manifest,
                  const std::vector<std::int64_t>& items) {
  const auto dataset =
      h5::Dataset::create<std::int32_t>(file, dataset::object_name(split, "labels"), {items.size()});
  const Range mine = block_range(std::ssize(items), comm.size(), comm.rank());
  std::vector<std::int32_t> labels;
  for (std::int64_t i = mine.begin; i < mine.end; ++i) labels.push_back(manifest.items[items[i]].label);
  dataset.write_rows(static_cast<hsize_t>(mine.begin), std::span<const std::int32_t>(labels));
}

}  // namespace

void write_tables(const mpi::Communicator& comm, const h5::File& file, const Manifest& manifest,
                  const Contents& contents, const std::vector<Reject>& rejects) {
  for (const Split split : {Split::train, Split::test}) {
    const std::vector<std::int64_t>& items = contents.of(split);
    write_labels(comm, file, split, manifest, items);
    write_list(comm, file, dataset::object_name(split, "names"), std::ssize(items),
               [&](std::int64_t i) -> const std::string& { return manifest.items[items[i]].name; });
  }
  write_list(comm, file, "rejected/name", std::ssize(rejects),
             [&](std::int64_t i) -> const std::string& { return manifest.items[rejects[i].item].name; });
  write_list(comm, file, "rejected/reason", std::ssize(rejects),
             [&](std::int64_t i) -> const std::string& { return rejects[i].reason; });
}

void write_attributes(const h5::File& file, const Manifest& manifest, const ChannelSums& sums,
                      dataset::Storage storage, int size) {
  h5::write_attribute(file, "/", "format", std::string(dataset::format_name));
  h5::write_attribute(file, "/", "schema_version", dataset::schema_version);
  h5::write_attribute(file, "/", "class_names", manifest.class_names);
  h5::write_attribute(file, "/", "channel_mean", std::span<const double>(sums.mean()));
  h5::write_attribute(file, "/", "channel_std", std::span<const double>(sums.standard_deviation()));
  h5::write_attribute(file, "/", "source_digest", manifest.digest());
  h5::write_attribute(file, "/", "storage", std::string(dataset::to_string(storage)));
  h5::write_attribute(file, "/", "image_size", std::int64_t{size});
  h5::write_attribute(file, "/", "whorl_version", std::string(WHORL_VERSION));
}

}  // namespace whorl::ingest
