// SPDX-License-Identifier: BSD-3-Clause
// bench-fetch --data FILE.h5 [Google Benchmark flags]: ways to read one picture of a file with contiguous
// pixels, which is in the page cache, in shuffled order.
//   reader          dataset::Reader, what training uses: pread at H5Dget_offset
//   mmap            mmap of the whole file and memcpy
//   h5dread         H5Dread as it comes
//   h5dread_sieve0  H5Dread without the sieve buffer of the file access properties
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <hdf5.h>
#include <sys/mman.h>

#include <array>
#include <boost/program_options.hpp>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "dataset/epoch_order.hpp"
#include "dataset/reader.hpp"
#include "dataset/stable_file.hpp"
#include "h5/file.hpp"

namespace whorl {
namespace {

using dataset::Split;
using Picture = std::vector<std::uint8_t>;

/// For one sample of a shuffled epoch after the other, calls what open() returns with the sample and its
/// pixels. Each benchmark opens the file on its own: HDF5 would share one opening, and its properties.
template <typename Open>
void measure(const std::string& name, const dataset::Info& info, Open open) {
  benchmark::RegisterBenchmark(name.c_str(), [&info, open](benchmark::State& state) {
    const dataset::EpochOrder order(1, 0, info.train_count);
    const auto read = open();
    Picture pixels(info.image_bytes());
    for (std::int64_t sample = 0; sample < info.train_count; ++sample) read(sample, pixels);
    std::int64_t position = 0;
    for (auto _ : state) {
      read(order(position), pixels);
      benchmark::DoNotOptimize(pixels.data());
      benchmark::ClobberMemory();
      position = position + 1 < info.train_count ? position + 1 : 0;
    }
    state.counters["images/s"] = benchmark::Counter(double(state.iterations()), benchmark::Counter::kIsRate);
  })->UseRealTime();
}

class ByReader {
 public:
  explicit ByReader(const std::string& path) : reader_(std::make_shared<dataset::Reader>(path)) {}
  void operator()(std::int64_t sample, Picture& pixels) const {
    reader_->read_images(Split::train, {&sample, 1}, pixels.data());
  }

 private:
  std::shared_ptr<dataset::Reader> reader_;
};

/// Mapped until the program ends.
class ByMapping {
 public:
  explicit ByMapping(const std::string& path) {
    const std::int64_t offset = h5::Dataset::open(h5::File::open_read(path), "train/images").file_offset();
    require(offset >= 0, "the pixels of {} are not contiguous", path);
    const dataset::StableFile file(path);
    void* const start =
        ::mmap(nullptr, static_cast<std::size_t>(file.size()), PROT_READ, MAP_SHARED, file.descriptor(), 0);
    require(start != MAP_FAILED, "cannot map {}: {}", path, system_error_text(errno));
    pixels_ = static_cast<const std::uint8_t*>(start) + offset;
  }
  void operator()(std::int64_t sample, Picture& pixels) const {
    std::memcpy(pixels.data(), pixels_ + static_cast<std::size_t>(sample) * pixels.size(), pixels.size());
  }

 private:
  const std::uint8_t* pixels_;
};

/// By HDF5 alone.
class ByHdf5 {
 public:
  ByHdf5(const std::string& path, bool sieve) {
    const h5::PropertyList access(h5::check_id(H5Pcreate(H5P_FILE_ACCESS), "make a property list"));
    if (!sieve) h5::check(H5Pset_sieve_buf_size(access.get(), 0), "turn off the sieve buffer");
    const auto owned = [](h5::Object object) { return std::make_shared<h5::Object>(std::move(object)); };
    file_ =
        owned(h5::Object(h5::check_id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), "open " + path)));
    dataset_ = owned(
        h5::Object(h5::check_id(H5Dopen2(file_->get(), "train/images", H5P_DEFAULT), "open train/images")));
    space_ = std::make_shared<h5::Space>(h5::check_id(H5Dget_space(dataset_->get()), "ask for its shape"));
    h5::check(H5Sget_simple_extent_dims(space_->get(), extent_.data(), nullptr), "ask for its shape");
    extent_[0] = 1;
    memory_ = std::make_shared<h5::Space>(
        h5::check_id(H5Screate_simple(4, extent_.data(), nullptr), "describe a picture"));
  }
  void operator()(std::int64_t sample, Picture& pixels) const {
    const hsize_t start[4] = {static_cast<hsize_t>(sample), 0, 0, 0};
    h5::check(H5Sselect_hyperslab(space_->get(), H5S_SELECT_SET, start, nullptr, extent_.data(), nullptr),
              "select a picture");
    h5::check(
        H5Dread(dataset_->get(), H5T_NATIVE_UINT8, memory_->get(), space_->get(), H5P_DEFAULT, pixels.data()),
        "read a picture");
  }

 private:
  std::shared_ptr<h5::Object> file_, dataset_;
  std::shared_ptr<h5::Space> space_, memory_;
  std::array<hsize_t, 4> extent_{};
};

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  namespace po = boost::program_options;
  std::string data;
  po::options_description options("bench-fetch");
  options.add_options()("data", po::value(&data)->required(), "dataset file with stored pixels");
  po::variables_map values;
  po::store(po::parse_command_line(argc, argv, options), values);
  po::notify(values);

  const dataset::Info info = dataset::Reader(data).info();
  require(info.storage == dataset::Storage::pixels && info.train_count > 0, "{} has no stored pixels", data);
  measure("reader", info, [&] { return ByReader(data); });
  measure("mmap", info, [&] { return ByMapping(data); });
  measure("h5dread", info, [&] { return ByHdf5(data, true); });
  measure("h5dread_sieve0", info, [&] { return ByHdf5(data, false); });
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
    fmt::print(stderr, "bench-fetch: {}\n", error.what());
    return 1;
  }
}
