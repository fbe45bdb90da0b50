// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/manifest.hpp"

#include <algorithm>
#include <concepts>
#include <cstring>

#include "base/digest.hpp"
#include "base/error.hpp"

namespace whorl::ingest {

namespace {

class Packer {
 public:
  template <typename T>
  requires std::integral<T> || std::is_enum_v<T>
  void put(T value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void put(const std::string& text) {
    put(text.size());
    bytes += text;
  }
  std::string bytes;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  T get() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(get<std::size_t>())); }

 private:
  std::string_view take(std::size_t count) {
    require(count <= bytes_.size(), "the manifest is {} bytes short", count - bytes_.size());
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::string_view bytes_;
};

}  // namespace

std::int64_t Manifest::count(dataset::Split split) const {
  return std::ranges::count(items, split, &Item::split);
}

std::int64_t Manifest::row(std::int64_t index) const {
  const auto first_test =
      std::ranges::lower_bound(items, dataset::Split::test, {}, &Item::split) - items.begin();
  return index < first_test ? index : index - first_test;
}

std::string Manifest::digest() const {
  Packer packer;
  for (const std::string& name : class_names) packer.put(name);
  for (const Item& item : items) {
    packer.put(item.name);
    packer.put(item.label);
    packer.put(item.split);
    packer.put(item.size);
  }
  if (encoding == Encoding::cifar)
    for (const SourceFile& file : files) packer.put(file.checksum);
  Digest digest;
  digest.add(packer.bytes);
  return digest.hex();
}

std::string serialise(const Manifest& manifest) {
  Packer packer;
  packer.put(manifest.encoding);
  packer.put(manifest.files.size());
  for (const SourceFile& file : manifest.files) {
    packer.put(file.path);
    packer.put(file.shared);
    packer.put(file.checksum);
  }
  packer.put(manifest.class_names.size());
  for (const std::string& name : manifest.class_names) packer.put(name);
  packer.put(manifest.items.size());
  for (const Item& item : manifest.items) {
    packer.put(item.name);
    packer.put(item.file);
    packer.put(item.label);
    packer.put(item.split);
    packer.put(item.offset);
    packer.put(item.size);
  }
  return std::move(packer.bytes);
}

Manifest deserialise(std::string_view bytes) {
  Unpacker unpacker(bytes);
  Manifest manifest;
  manifest.encoding = unpacker.get<Encoding>();
  manifest.files.resize(unpacker.get<std::size_t>());
  for (SourceFile& file : manifest.files) {
    file.path = unpacker.text();
    file.shared = unpacker.get<bool>();
    file.checksum = unpacker.get<std::uint64_t>();
  }
  manifest.class_names.resize(unpacker.get<std::size_t>());
  for (std::string& name : manifest.class_names) name = unpacker.text();
  manifest.items.resize(unpacker.get<std::size_t>());
  for (Item& item : manifest.items) {
    item.name = unpacker.text();
    item.file = unpacker.get<std::int32_t>();
    item.label = unpacker.get<std::int32_t>();
    item.split = unpacker.get<dataset::Split>();
    item.offset = unpacker.get<std::int64_t>();
    item.size = unpacker.get<std::int64_t>();
  }
  return manifest;
}

}  // namespace whorl::ingest
