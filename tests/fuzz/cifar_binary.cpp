// SPDX-License-Identifier: BSD-3-Clause
// batches.meta.txt, then the records of a batch.
#include <algorithm>

#include "ingest/cifar.hpp"
#include "input.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace whorl;
  const fuzz::TemporaryFile file(std::span(data, size));
  const auto names = static_cast<std::int64_t>(std::find(data, data + size, 0x1e) - data);
  const std::int64_t batch = std::min<std::int64_t>(names + 1, static_cast<std::int64_t>(size));
  const ingest::Listing listing{
      file.path(),
      true,
      {{"batches.meta.txt", 0, names}, {"data_batch_1.bin", batch, static_cast<std::int64_t>(size) - batch}},
      {}};
  fuzz::refuse_or_take([&] {
    const auto found = ingest::find_cifar(listing, "/nonexistent");
    fuzz::must_hold(found && found->class_names.size() == 10, "there are ten classes");
    for (const std::int32_t label : found->batches.at(0).labels)
      fuzz::must_hold(label >= 0 && label < 10, "labels are classes");
  });
  return 0;
}
