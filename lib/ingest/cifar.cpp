// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/cifar.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "ingest/class_folders.hpp"
#include "ingest/input_file.hpp"
#include "ingest/pickle.hpp"

namespace whorl::ingest {

namespace {

constexpr std::int64_t record_bytes = 1 + cifar_picture_bytes;
constexpr std::int64_t largest_pickle = std::int64_t{1} << 30;  // bytes; the official batches have 31 million
constexpr int class_count = 10;
constexpr std::size_t longest_name = 1000;  // bytes

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_batch_name(std::string_view name) {
  if (name == "test_batch") return true;
  constexpr std::string_view start = "data_batch_";
  return name.starts_with(start) && name.size() > start.size() &&
         name.substr(start.size()).find_first_not_of("0123456789") == std::string_view::npos;
}

std::vector<std::uint8_t> read_entry(const Listing& listing, const Entry& entry) {
  require(entry.size <= largest_pickle, "{}: {} has {} bytes, too many for a CIFAR-10 batch",
          listing.location, entry.path, entry.size);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(entry.size));
  InputFile(listing.file_of(entry)).read(entry.offset, bytes);
  return bytes;
}

CifarBatch start_batch(const Listing& listing, const Entry& entry) {
  CifarBatch batch;
  batch.name = entry.path;
  batch.split = base_name(entry.path).starts_with("test") ? dataset::Split::test : dataset::Split::train;
  batch.file = listing.file_of(entry);
  return batch;
}

CifarBatch read_binary_batch(const Listing& listing, const Entry& entry) {
  require(entry.size % record_bytes == 0 && entry.size > 0,
          "{}: {} has {} bytes, not whole CIFAR-10 records of {} bytes; is the download complete?",
          listing.location, entry.path, entry.size, record_bytes);
  CifarBatch batch = start_batch(listing, entry);
  batch.offset = entry.offset + 1;
  batch.stride = record_bytes;
  const std::vector<std::uint8_t> bytes = read_entry(listing, entry);
  batch.checksum = checksum_of(std::as_bytes(std::span(bytes)));
  for (std::size_t at = 0; at < bytes.size(); at += record_bytes) batch.labels.push_back(bytes[at]);
  return batch;
}

std::vector<std::int32_t> labels_of(const Pickle::Value* list) {
  require(list != nullptr && list->kind == Pickle::Kind::list, "no list \"labels\"");
  std::vector<std::int32_t> labels;
  for (const Pickle::Value* label : list->parts) {
    require(label->kind == Pickle::Kind::integer, "a label that is not an integer");
    require(label->integer >= 0 && label->integer < class_count, "label {}, not one of 0 to {}",
            label->integer, class_count - 1);
    labels.push_back(static_cast<std::int32_t>(label->integer));
  }
  return labels;
}

// Appends to the scratch file; returns the offset.
std::int64_t append(const std::filesystem::path& scratch, std::string_view bytes) {
  std::ofstream stream(scratch, std::ios::binary | std::ios::app);
  const auto offset = static_cast<std::int64_t>(stream.tellp());
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  require(bool(stream), "cannot write {}: is the disk full?", scratch.string());
  return offset;
}

CifarBatch parse_python_batch(const Listing& listing, const Entry& entry,
                              const std::filesystem::path& scratch) {
  CifarBatch batch = start_batch(listing, entry);
  const std::vector<std::uint8_t> bytes = read_entry(listing, entry);
  batch.checksum = checksum_of(std::as_bytes(std::span(bytes)));
  const Pickle pickle(bytes);
  batch.labels = labels_of(Pickle::find(pickle.root(), "labels"));
  const Pickle::Value* data = Pickle::find(pickle.root(), "data");
  require(data != nullptr && data->kind == Pickle::Kind::array && data->parts.size() == 2,
          "no table \"data\"");
  require(data->parts[1]->integer == cifar_picture_bytes, "pictures of {} bytes, not {}",
          data->parts[1]->integer, cifar_picture_bytes);
  require(data->parts[0]->integer == static_cast<std::int64_t>(batch.labels.size()),
          "{} pictures, but {} labels", data->parts[0]->integer, batch.labels.size());
  batch.stride = cifar_picture_bytes;
  const char* begin = reinterpret_cast<const char*>(bytes.data());
  const bool verbatim = data->text.data() >= begin && data->text.data() <= begin + bytes.size();
  if (verbatim) {
    batch.offset = entry.offset + (data->text.data() - begin);
  } else {
    batch.offset = append(scratch, data->text);
    batch.file = scratch.string();
  }
  return batch;
}

CifarBatch read_python_batch(const Listing& listing, const Entry& entry,
                             const std::filesystem::path& scratch) {
  try {
    return parse_python_batch(listing, entry, scratch);
  } catch (const Error& error) {
    throw Error("{}: {} is not a CIFAR-10 Python batch: {}", listing.location, entry.path, error.what());
  }
}

std::vector<std::string> read_names_of_text(const std::vector<std::uint8_t>& bytes) {
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::vector<std::string> names;
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  return names;
}

std::vector<std::string> read_names_of_pickle(const std::vector<std::uint8_t>& bytes) {
  const Pickle pickle(bytes);
  const Pickle::Value* list = Pickle::find(pickle.root(), "label_names");
  require(list != nullptr && list->kind == Pickle::Kind::list, "no list \"label_names\"");
  std::vector<std::string> names;
  for (const Pickle::Value* name : list->parts) {
    require(name->kind == Pickle::Kind::text, "a class name that is not text");
    names.emplace_back(name->text);
  }
  return names;
}

std::vector<std::string> read_class_names(const Listing& listing) {
  std::vector<std::string> names;
  for (const Entry& entry : listing.entries) {
    const std::string name = base_name(entry.path);
    if (name != "batches.meta.txt" && name != "batches.meta") continue;
    try {
      const std::vector<std::uint8_t> bytes = read_entry(listing, entry);
      names = name == "batches.meta" ? read_names_of_pickle(bytes) : read_names_of_text(bytes);
    } catch (const Error& error) {
      throw Error("{}: cannot read the class names in {}: {}", listing.location, entry.path, error.what());
    }
    require(names.size() == class_count, "{}: {} names {} classes, not {}", listing.location, entry.path,
            names.size(), class_count);
    for (const std::string& one : names)
      require(!one.empty() && one.size() <= longest_name,
              "{}: {} has a class name of {} bytes; the limit is {}", listing.location, entry.path,
              one.size(), longest_name);
    return names;
  }
  for (int label = 0; label < class_count; ++label) names.push_back(std::to_string(label));
  return names;
}

void check_labels(const Listing& listing, const CifarBatch& batch) {
  const auto wrong =
      std::ranges::find_if(batch.labels, [](std::int32_t label) { return label >= class_count; });
  require(wrong == batch.labels.end(),
          "{}: picture {} of {} has the label {}, not one of 0 to {}; is this CIFAR-10?", listing.location,
          wrong - batch.labels.begin(), batch.name, wrong == batch.labels.end() ? 0 : *wrong,
          class_count - 1);
}

}  // namespace

std::optional<CifarBatches> find_cifar(const Listing& listing, const std::filesystem::path& scratch) {
  CifarBatches found;
  bool binary = false, python = false;
  for (const Entry& entry : listing.entries) {
    const std::string name = base_name(entry.path);
    if (is_hidden(entry.path)) continue;
    if (name.ends_with(".bin") && is_batch_name(std::string_view(name).substr(0, name.size() - 4))) {
      binary = true;
      found.batches.push_back(read_binary_batch(listing, entry));
    } else if (is_batch_name(name)) {
      python = true;
      found.batches.push_back(read_python_batch(listing, entry, scratch));
    }
  }
  if (found.batches.empty()) return std::nullopt;
  require(!binary || !python,
          "{} holds CIFAR-10 batches in both the binary and the Python form; give only one of them",
          listing.location);
  std::ranges::sort(found.batches, {}, &CifarBatch::name);
  for (const CifarBatch& batch : found.batches) check_labels(listing, batch);
  found.class_names = read_class_names(listing);
  return found;
}

}  // namespace whorl::ingest
