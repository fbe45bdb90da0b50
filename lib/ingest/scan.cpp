// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/scan.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "ingest/cifar.hpp"
#include "ingest/class_folders.hpp"
#include "ingest/compressed.hpp"
#include "ingest/folder_tree.hpp"
#include "ingest/tar.hpp"

namespace whorl::ingest {

namespace {

namespace fs = std::filesystem;
using dataset::Split;

// The pictures of one input; Item::file and Item::label index its own lists.
struct Collection {
  Encoding encoding = Encoding::jpeg;
  std::vector<SourceFile> files;
  std::vector<std::string> class_names;
  std::vector<Item> items;
};

Listing list_file(const fs::path& path, const fs::path& unpacked) {
  const InputFile file(path.string());
  if (is_tar(file)) return list_tar(file);
  if (is_compressed(file)) {
    decompress(file, unpacked);
    const InputFile tar(unpacked.string());
    require(is_tar(tar), "{} is compressed, but what it contains is not a tar archive", path.string());
    return list_tar(tar);
  }
  // A file by itself can only be one CIFAR-10 batch.
  Listing listing;
  listing.location = fs::absolute(path).parent_path().string();
  listing.entries.push_back({path.filename().string(), 0, file.size()});
  return listing;
}

Listing list_input(const fs::path& path, const fs::path& unpacked) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  require(fs::exists(status), "cannot read the input {}: {}", path.string(), error.message());
  return fs::is_directory(status) ? list_folder(path.string()) : list_file(path, unpacked);
}

bool falls_into_test(const std::string& name, const ScanOptions& options) {
  constexpr double to_unit = 1.0 / 9007199254740992.0;  // 2^-53
  return static_cast<double>(hash_of(name, options.seed) >> 11) * to_unit < options.test_fraction;
}

Collection collect_cifar(const CifarBatches& found) {
  Collection collection{Encoding::cifar, {}, found.class_names, {}};
  for (const CifarBatch& batch : found.batches) {
    collection.files.push_back({batch.file, true, batch.checksum});
    const auto file = static_cast<std::int32_t>(collection.files.size() - 1);
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      const std::int64_t offset = batch.offset + static_cast<std::int64_t>(i) * batch.stride;
      collection.items.push_back({fmt::format("{}:{:05}", batch.name, i), file, batch.labels[i], batch.split,
                                  offset, cifar_picture_bytes});
    }
  }
  return collection;
}

Collection collect_pictures(const Listing& listing, const ClassFolders& found, const ScanOptions& options) {
  Collection collection;
  std::map<std::string, std::int32_t> labels;
  for (const Candidate& candidate : found.candidates) labels.try_emplace(candidate.class_name, 0);
  for (auto& [name, label] : labels) {
    label = static_cast<std::int32_t>(collection.class_names.size());
    collection.class_names.push_back(name);
  }
  if (listing.archive) collection.files.push_back({listing.location, true});
  for (const Candidate& candidate : found.candidates) {
    const Entry& entry = listing.entries[candidate.entry];
    if (!listing.archive) collection.files.push_back({listing.file_of(entry), false});
    const auto file = static_cast<std::int32_t>(collection.files.size() - 1);
    const Split drawn = falls_into_test(candidate.name, options) ? Split::test : Split::train;
    collection.items.push_back({candidate.name, file, labels.at(candidate.class_name),
                                candidate.split.value_or(drawn), entry.offset, entry.size});
  }
  return collection;
}

void require_pictures(const fs::path& input, const Listing& listing, const ClassFolders& found) {
  if (!found.candidates.empty()) return;
  const bool single_file = !listing.archive && !fs::is_directory(input);
  require(!single_file, "{} is neither a folder nor a tar archive (plain or compressed) nor a CIFAR-10 batch",
          input.string());
  require(!listing.entries.empty(), "{} is empty: it holds no files", input.string());
  throw Error(
      "{} holds no pictures in class folders ({} files elsewhere, {} hidden); expected CLASS/PICTURE.jpg or "
      "train/CLASS/PICTURE.jpg",
      input.string(), found.outside, found.hidden);
}

Collection collect(const fs::path& input, std::size_t index, const ScanOptions& options,
                   std::vector<std::string>& notes) {
  const Listing listing = list_input(input, unpacked_tar(options.scratch, index));
  for (const std::string& note : listing.notes) notes.push_back(fmt::format("{}: {}", input.string(), note));
  if (const std::optional<CifarBatches> cifar = find_cifar(listing, recoded_pixels(options.scratch))) {
    return collect_cifar(*cifar);
  }
  const ClassFolders found = find_class_folders(listing.entries);
  require_pictures(input, listing, found);
  if (found.outside > 0)
    notes.push_back(fmt::format("{}: skipped {} files outside class folders", input.string(), found.outside));
  if (found.hidden > 0)
    notes.push_back(fmt::format("{}: skipped {} hidden files", input.string(), found.hidden));
  return collect_pictures(listing, found, options);
}

// JPEG classes are sorted by name; those of CIFAR keep their numbers.
std::vector<std::string> merge_class_names(const std::vector<Collection>& collections) {
  std::vector<std::string> names;
  for (const Collection& collection : collections) {
    for (const std::string& name : collection.class_names) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  }
  if (collections.front().encoding == Encoding::jpeg) std::ranges::sort(names);
  return names;
}

// Names of an input that has a name in common with an earlier one get the input's own name in front.
void make_names_unique(std::vector<Collection>& collections, const std::vector<fs::path>& inputs) {
  std::unordered_set<std::string> taken;
  for (std::size_t i = 0; i < collections.size(); ++i) {
    std::vector<Item>& items = collections[i].items;
    const auto clashes = [&](const std::string& prefix) {
      return std::ranges::any_of(items, [&](const Item& item) { return taken.contains(prefix + item.name); });
    };
    const fs::path path = inputs[i].has_filename() ? inputs[i] : inputs[i].parent_path();
    std::string prefix;
    for (int attempt = 1; clashes(prefix); ++attempt) {
      prefix =
          attempt == 1 ? path.stem().string() + "/" : fmt::format("{}-{}/", path.stem().string(), attempt);
    }
    for (Item& item : items) {
      item.name.insert(0, prefix);
      taken.insert(item.name);
    }
  }
}

Manifest merge(const std::vector<Collection>& collections) {
  Manifest manifest;
  manifest.encoding = collections.front().encoding;
  manifest.class_names = merge_class_names(collections);
  for (const Collection& collection : collections) {
    const auto first_file = static_cast<std::int32_t>(manifest.files.size());
    manifest.files.insert(manifest.files.end(), collection.files.begin(), collection.files.end());
    std::vector<std::int32_t> merged_labels;
    for (const std::string& name : collection.class_names) {
      const auto found = std::ranges::find(manifest.class_names, name);
      merged_labels.push_back(static_cast<std::int32_t>(found - manifest.class_names.begin()));
    }
    for (Item item : collection.items) {
      item.file += first_file;
      item.label = merged_labels[static_cast<std::size_t>(item.label)];
      manifest.items.push_back(std::move(item));
    }
  }
  if (manifest.encoding == Encoding::jpeg) {
    std::ranges::sort(manifest.items, [](const Item& a, const Item& b) {
      return std::tie(a.split, a.name) < std::tie(b.split, b.name);
    });
  } else {
    std::ranges::stable_sort(manifest.items, {}, &Item::split);
  }
  return manifest;
}

}  // namespace

fs::path unpacked_tar(const fs::path& scratch, std::size_t input) {
  return fmt::format("{}-{}.tar", scratch.string(), input);
}

fs::path recoded_pixels(const fs::path& scratch) {
  return scratch.string() + ".pixels";
}

Scan scan(const ScanOptions& options) {
  require(!options.inputs.empty(), "no inputs");
  Scan result;
  std::vector<Collection> collections;
  for (std::size_t i = 0; i < options.inputs.size(); ++i) {
    collections.push_back(collect(options.inputs[i], i, options, result.notes));
    require(collections[i].encoding == collections[0].encoding,
            "{} and {} cannot go into one dataset: one holds CIFAR-10 batches, the other JPEG pictures",
            options.inputs[0].string(), options.inputs[i].string());
  }
  make_names_unique(collections, options.inputs);
  result.manifest = merge(collections);
  return result;
}

}  // namespace whorl::ingest
