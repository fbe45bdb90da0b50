// SPDX-License-Identifier: BSD-3-Clause
// Writes inputs from which fuzzing starts, and which the tests replay: FOLDER/TARGET/NAME, well-formed ones.
// Those that whorl does not write itself (pickles, compressed files) or only a whole run does (records) are
// in corpus/.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "h5/file.hpp"
#include "h5/seal.hpp"
#include "ingest/journal.hpp"
#include "nn/network.hpp"
#include "scale/study.hpp"
#include "support/dataset_file.hpp"
#include "train/job.hpp"
#include "train/weights.hpp"
#include "unit/checkpoint/example.hpp"
#include "unit/image/jpeg_maker.hpp"
#include "unit/ingest/fixtures.hpp"

namespace {

namespace fs = std::filesystem;
using namespace whorl;

void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  create_empty_file(path);
  append_to_file(path, bytes);
}

void write_jpegs(const fs::path& folder) {
  using Colour = image::JpegMaker::Colour;
  const image::Image picture = image::test_picture(37, 29);
  int number = 0;
  for (const Colour colour : {Colour::ycbcr, Colour::rgb, Colour::gray, Colour::cmyk, Colour::ycck}) {
    for (const bool progressive : {false, true}) {
      ++number;
      const image::JpegMaker maker{.colour = colour,
                                   .luma_across = 1 + number % 2,
                                   .luma_down = 1 + number / 2 % 2,
                                   .progressive = progressive,
                                   .arithmetic = number % 3 == 0,
                                   .restart_rows = number % 2,
                                   .quality = 60,
                                   .exif_orientation = static_cast<unsigned>(number % 9)};
      const std::vector<std::uint8_t> bytes = maker.make(picture);
      write(folder / fmt::format("{}.jpg", number), std::string(bytes.begin(), bytes.end()));
    }
  }
}

void write_tars(const fs::path& folder) {
  ingest::test::TarWriter tar;
  tar.add("set/train/", "", '5');
  tar.add("set/train/rose/a.jpg", "first");
  tar.add("set/test/rose/" + std::string(120, 'b') + ".jpg", "second");
  tar.add_pax({"path=set/train/tulip/c.jpg", "size=5"});
  tar.add("short", "third");
  tar.add("set/train/rose/link", "", '2');
  tar.add_pax({"GNU.sparse.major=1", "mtime=1.5"});
  tar.add("set/train/rose/sparse.jpg", "hole");
  write(folder / "pictures.tar", tar.finished());
  ingest::test::TarWriter cifar;
  cifar.add("cifar/data_batch_1.bin", ingest::test::cifar_records(1, 1));
  write(folder / "cifar.tar", cifar.finished());
}

void write_journals(const fs::path& folder) {
  const fs::path path = folder / "journal";
  fs::create_directories(folder);
  fs::remove(path);
  ingest::Journal journal(path, "recipe of a job", "data-0");
  const std::vector<ingest::StoredPicture> pictures{{0, 0, 8, 1}, {3, 8, 16, 2}, {2, 24, 32, 3}};
  journal.append(pictures);
  journal.append(std::span(pictures).first(1));
}

void write_datasets(const fs::path& folder) {
  fs::create_directories(folder);
  test::DatasetFile file{.image_size = 4, .train_count = 3, .test_count = 2};
  file.write(folder / "pixels.h5");
  file.checksums = true;
  file.write(folder / "checksums.h5");
  file.storage = dataset::Storage::jpeg;
  file.write(folder / "jpeg.h5");
}

/// All but the tensors, which are too large to be changed usefully; and one of these.
void write_weights(const fs::path& folder) {
  fs::create_directories(folder);
  h5::File file = h5::File::create(folder / "petal.h5");
  const std::vector<double> channels{0.25, 0.5, 0.75};
  h5::write_attribute(file, "/", "format", std::string("whorl-weights"));
  h5::write_attribute(file, "/", "network", std::string("petal"));
  h5::write_attribute(file, "/", "image_size", std::int64_t{16});
  h5::write_attribute(file, "/", "class_names", std::vector<std::string>{"daisy", "rose"});
  h5::write_attribute(file, "/", "channel_mean", channels);
  h5::write_attribute(file, "/", "channel_std", channels);
  h5::write_attribute(file, "/", "weights_digest", std::string("0123"));
  h5::write_attribute(file, "/", "dataset_digest", std::string("4567"));
  const nn::Network network = nn::make_network("petal", 16, 2, {});
  const nn::Tensor& last = network.parameters.tensors().front();
  h5::Dataset::create<float>(file, last.name, {last.shape.begin(), last.shape.end()});
  file.close();
  h5::seal(folder / "petal.h5", {last.name});
}

void write_texts(const fs::path& folder) {
  write(folder / "job" / "defaults.ini", train::resolved_text({}));
  write(folder / "job" / "short.ini",
        "# a job\n[train]\nepochs = 2.5  # short\nbatch=64\n[data]\nfile = a.h5\n");
  write(folder / "study" / "defaults.study", scale::resolved_text({}));
  write(folder / "study" / "short.study",
        "[study]\nworkloads = train,read-warm\nranks = 1,2\n[train]\njob = a.ini\ndata = a.h5\n");
}

void write_checkpoint(const fs::path& folder) {
  fs::create_directories(folder);
  checkpoint::Checkpoint small = test::example_checkpoint(12);
  for (auto* values :
       {&small.state.parameters, &small.state.optimizer.momentum, &small.state.optimizer.slow_weights})
    values->resize(5);
  checkpoint::save(folder / "checkpoint.h5", small);
}

/// Fields of tests/fuzz/hdf5.hpp.
void write_fields(const fs::path& folder) {
  const auto bytes = [](auto value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const checkpoint::Checkpoint example = test::example_checkpoint(12);
  const std::string floats = "f" + bytes(0.5F) + bytes(-0.25F),
                    channels = "r" + bytes(0.25) + bytes(0.5) + bytes(0.75);
  const std::vector<std::string> checkpoint{"twhorl-checkpoint",
                                            "i" + bytes(example.state.step),
                                            "i" + bytes(example.state.loss),
                                            "i" + bytes(example.state.correct),
                                            "t" + example.job,
                                            "t" + example.dataset_digest,
                                            floats,
                                            floats,
                                            floats,
                                            "n" + bytes(-15) + bytes(14),
                                            "b" + example.record};
  const std::vector<std::string> weights{"twhorl-weights", "tpetal", "i" + bytes(std::int64_t{16}),
                                         "sdaisy\nrose\n", channels, channels,
                                         "t0123",          "t4567",  floats};
  write(folder / "checkpoint" / "fields", fmt::format("{}", fmt::join(checkpoint, "\x1e")));
  write(folder / "weights" / "fields", fmt::format("{}", fmt::join(weights, "\x1e")));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    require(argc == 2, "fuzz_seeds FOLDER");
    const fs::path folder = argv[1];
    write(folder / "cifar_binary" / "batch",
          "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\x1e" + ingest::test::cifar_records(1, 1));
    write_jpegs(folder / "jpeg");
    write_tars(folder / "tar");
    write_journals(folder / "journal");
    write_datasets(folder / "dataset");
    write_weights(folder / "weights");
    write_checkpoint(folder / "checkpoint");
    write_fields(folder);
    write_texts(folder);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "fuzz_seeds: {}\n", describe(error));
    return 1;
  }
}
