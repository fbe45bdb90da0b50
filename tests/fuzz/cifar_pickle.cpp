// SPDX-License-Identifier: BSD-3-Clause
// One pickle as class names and as a batch.
#include "ingest/cifar.hpp"
#include "ingest/pickle.hpp"
#include "input.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace whorl;
  fuzz::refuse_or_take([&] { ingest::Pickle(std::span(data, size)); });
  const fuzz::TemporaryFile file(std::span(data, size)), scratch(std::string_view{});
  const auto whole = static_cast<std::int64_t>(size);
  for (const bool named : {false, true}) {
    ingest::Listing listing{file.path(), true, {{"data_batch_1", 0, whole}}, {}};
    if (named) listing.entries.push_back({"batches.meta", 0, whole});
    fuzz::refuse_or_take([&] {
      const auto found = ingest::find_cifar(listing, scratch.path());
      const ingest::CifarBatch& batch = found.value().batches.at(0);
      const std::int64_t end = batch.offset + batch.stride * std::ssize(batch.labels);
      fuzz::must_hold(batch.file == scratch.path() || (batch.offset >= 0 && end <= whole),
                      "pixels lie in the batch");
    });
  }
  return 0;
}
