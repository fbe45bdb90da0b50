// SPDX-License-Identifier: BSD-3-Clause
// bench-decode --images PATH [--size 192] [Google Benchmark flags]: what one core does to the JPEGs of a
// folder or tar, held in memory.
//   decode    the whole picture to RGB, and nothing else: the ceiling that ingest is measured against
//   square    SquareDecoder, what ingest does to a picture between reading and writing
#include <archive.h>
#include <archive_entry.h>
#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "image/jpeg.hpp"

namespace whorl {
namespace {

using Bytes = std::vector<std::uint8_t>;

bool is_jpeg_name(const std::filesystem::path& path) {
  return path.extension() == ".jpg" || path.extension() == ".jpeg";
}

std::vector<Bytes> read_tar(const std::filesystem::path& path) {
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_all(reader.get());
  if (archive_read_open_filename(reader.get(), path.c_str(), 1 << 20) != ARCHIVE_OK)
    throw Error("cannot read {}: {}", path.string(), archive_error_string(reader.get()));
  std::vector<Bytes> files;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    if (!is_jpeg_name(archive_entry_pathname(entry))) continue;
    Bytes& bytes = files.emplace_back(static_cast<std::size_t>(archive_entry_size(entry)));
    require(archive_read_data(reader.get(), bytes.data(), bytes.size()) == la_ssize_t(bytes.size()),
            "{} is cut short", path.string());
  }
  return files;
}

std::vector<Bytes> read_folder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && is_jpeg_name(entry.path())) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> files;
  for (const auto& path : paths) {
    const std::string text = read_text_file(path);
    files.emplace_back(text.begin(), text.end());
  }
  return files;
}

/// Runs `use` on every picture once an iteration and reports pictures per second.
template <typename Use>
void measure(const std::string& name, const std::vector<Bytes>& files, Use use) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [&files, use](benchmark::State& state) {
                                 for (auto _ : state)
                                   for (const Bytes& file : files) use(file);
                                 state.counters["images/s"] = benchmark::Counter(
                                     double(files.size()), benchmark::Counter::kIsIterationInvariantRate);
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  namespace po = boost::program_options;
  std::string images;
  int size = 0;
  po::options_description options("bench-decode");
  options.add_options()("images", po::value(&images)->required(), "folder or tar of JPEG files")(
      "size", po::value(&size)->default_value(192), "side of the squares, in pixels");
  po::variables_map values;
  po::store(po::parse_command_line(argc, argv, options), values);
  po::notify(values);

  const auto files = std::filesystem::is_directory(images) ? read_folder(images) : read_tar(images);
  require(!files.empty(), "no JPEG files in {}", images);
  Bytes square(std::size_t(size) * size * 3);
  measure("decode", files, [](const Bytes& file) { benchmark::DoNotOptimize(image::decode_jpeg(file)); });
  image::SquareDecoder decoder;
  measure("square", files, [&](const Bytes& file) {
    decoder.decode(file, size, square.data());
    benchmark::DoNotOptimize(square.data());
  });
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace whorl

int main(int argc, char** argv) {
  try {
    return whorl::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench-decode: {}\n", error.what());
    return 1;
  }
}
