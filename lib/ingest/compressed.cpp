// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/compressed.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "ingest/append_file.hpp"

namespace whorl::ingest {

namespace {

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using ArchiveReader = std::unique_ptr<archive, FreeArchive>;

// libarchive's "raw" format: the whole decompressed stream is one entry.
ArchiveReader open_stream(const InputFile& file) {
  ArchiveReader reader(archive_read_new());
  require(reader != nullptr, "out of memory");
  const auto check = [&](int code) {
    require(code == ARCHIVE_OK, "cannot decompress {}: {}", file.path(), archive_error_string(reader.get()));
  };
  check(archive_read_support_filter_gzip(reader.get()));
  check(archive_read_support_filter_bzip2(reader.get()));
  check(archive_read_support_filter_xz(reader.get()));
  check(archive_read_support_filter_zstd(reader.get()));
  check(archive_read_support_format_raw(reader.get()));
  check(archive_read_open_filename(reader.get(), file.path().c_str(), 1 << 20));
  archive_entry* entry = nullptr;
  check(archive_read_next_header(reader.get(), &entry));
  return reader;
}

}  // namespace

bool is_compressed(const InputFile& file) {
  using namespace std::string_view_literals;
  std::array<std::uint8_t, 6> start{};
  const std::size_t got = file.read_some(0, start);
  const std::string_view text(reinterpret_cast<const char*>(start.data()), got);
  for (const std::string_view magic : {"\x1f\x8b"sv, "BZh"sv,
                                       "\xfd"
                                       "7zXZ\0"sv,
                                       "\x28\xb5\x2f\xfd"sv}) {
    if (text.starts_with(magic)) return true;
  }
  return false;
}

void decompress(const InputFile& file, const std::filesystem::path& target) {
  const ArchiveReader reader = open_stream(file);
  AppendFile output(target.string());
  Progress progress("decompress " + file.path(), "MB", file.size() / 1'000'000, true);
  std::string block(std::size_t{1} << 20, '\0');
  for (;;) {
    const la_ssize_t got = archive_read_data(reader.get(), block.data(), block.size());
    require(got >= 0, "cannot decompress {}: {}", file.path(), archive_error_string(reader.get()));
    if (got == 0) break;
    output.append(std::as_bytes(std::span(block).first(static_cast<std::size_t>(got))));
    progress.update(archive_filter_bytes(reader.get(), -1) / 1'000'000);
  }
}

}  // namespace whorl::ingest
