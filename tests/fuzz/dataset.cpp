// SPDX-License-Identifier: BSD-3-Clause
// A dataset, opened and read through as whorl-inspect and whorl-train do.
#include <algorithm>
#include <numeric>

#include "dataset/integrity.hpp"
#include "dataset/reader.hpp"
#include "input.hpp"

namespace {

using namespace whorl;

void read_split(const dataset::Reader& reader, dataset::Split split) {
  const std::int64_t count = std::min<std::int64_t>(reader.info().count(split), 20);
  std::vector<std::int64_t> samples(static_cast<std::size_t>(count));
  std::iota(samples.begin(), samples.end(), 0);
  std::vector<std::int32_t> labels(samples.size());
  fuzz::refuse_or_take([&] { reader.read_labels(split, samples, labels.data()); });
  fuzz::refuse_or_take([&] { reader.names(split, 0, count); });
  fuzz::refuse_or_take([&] { reader.labels(split); });
  if (reader.info().image_size > 256) return;
  std::vector<std::uint8_t> pixels(samples.size() * reader.info().image_bytes());
  fuzz::refuse_or_take([&] { reader.read_images(split, samples, pixels.data()); });
}

void take(const std::string& path, dataset::Reader::Verify verify) {
  fuzz::refuse_or_take([&] {
    const dataset::Reader reader(path, verify);
    fuzz::refuse_or_take([&] { reader.digest(); });
    fuzz::refuse_or_take([&] { reader.rejects(); });
    fuzz::refuse_or_take([&] { dataset::find_damage(reader, 1, 0); });
    for (const auto split : {dataset::Split::train, dataset::Split::test}) read_split(reader, split);
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::TemporaryFile file(std::span(data, size));
  take(file.path(), dataset::Reader::Verify::nothing);
  take(file.path(), dataset::Reader::Verify::all);
  return 0;
}
