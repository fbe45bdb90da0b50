// SPDX-License-Identifier: BSD-3-Clause
// .tar.gz and the like, unpacked by libarchive.
#include "ingest/compressed.hpp"

#include "input.hpp"
#include "support/temporary_folder.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace whorl;
  static const test::TemporaryFolder folder;
  const fuzz::TemporaryFile packed(std::span(data, size));
  const std::filesystem::path unpacked = folder / "unpacked";
  fuzz::refuse_or_take([&] {
    const ingest::InputFile file(packed.path());
    if (ingest::is_compressed(file)) ingest::decompress(file, unpacked);
  });
  std::filesystem::remove(unpacked);
  return 0;
}
