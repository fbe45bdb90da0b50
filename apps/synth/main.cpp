// SPDX-License-Identifier: BSD-3-Clause
// whorl-synth: draws a labelled set of flower pictures, so that everything can be tried without a download.
#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "base/file_system.hpp"
#include "base/progress.hpp"
#include "image/jpeg.hpp"
#include "scene.hpp"

namespace whorl::synth {
namespace {

namespace po = boost::program_options;

constexpr const char* description =
    "usage: whorl-synth --output FILE.tar [options]\n\n"
    "Draws flowers of five classes as JPEG files into a tar of the form synth_flowers/CLASS/NUMBER.jpg, "
    "ready for\n"
    "whorl-ingest --input FILE.tar. The same seed draws the same pictures; they are as free to use as this "
    "program.\n\noptions";

struct Arguments {
  std::string output;
  int per_class = 0;
  int size = 0;
  std::uint64_t seed = 0;
  bool help = false;
};

Arguments parse(int argc, char** argv, po::options_description& options) {
  Arguments arguments;
  options.add_options()("help,h", "this text")("output,o", po::value(&arguments.output), "tar file to write")(
      "per-class", po::value(&arguments.per_class)->default_value(400), "pictures of each class")(
      "size", po::value(&arguments.size)->default_value(80),
      "typical side in pixels; sides vary by a fifth of it, independently")(
      "seed", po::value(&arguments.seed)->default_value(1), "another seed, other pictures");
  const auto values = parse_command_line(argc, argv, options, "the tar is given as --output FILE.tar");
  arguments.help = values.contains("help");
  if (arguments.help) return arguments;
  if (arguments.output.empty())
    throw UsageError("--output FILE.tar says where the pictures go; whorl-synth --help lists the options");
  if (arguments.per_class < 1) throw UsageError("--per-class {}: at least 1", arguments.per_class);
  if (arguments.size < 16 || arguments.size > 4096)
    throw UsageError("--size {}: between 16 and 4096 pixels", arguments.size);
  return arguments;
}

/// A ustar archive whose bytes depend on names and contents only: no times, no owners.
class TarWriter {
 public:
  explicit TarWriter(const std::filesystem::path& path)
      : path_(path), archive_(archive_write_new(), archive_write_free) {
    check(archive_write_set_format_ustar(archive_.get()));
    check(archive_write_open_filename(archive_.get(), path.c_str()));
  }
  void add(const std::string& name, const std::vector<std::uint8_t>& bytes) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                         archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_size(entry.get(), la_int64_t(bytes.size()));
    check(archive_write_header(archive_.get(), entry.get()));
    if (archive_write_data(archive_.get(), bytes.data(), bytes.size()) != la_ssize_t(bytes.size())) fail();
  }
  void close() { check(archive_write_close(archive_.get())); }

 private:
  void check(int status) const {
    if (status != ARCHIVE_OK) fail();
  }
  [[noreturn]] void fail() const {
    throw Error("cannot write {}: {}", path_.string(), archive_error_string(archive_.get()));
  }

  std::filesystem::path path_;
  std::unique_ptr<archive, int (*)(archive*)> archive_;
};

/// Every picture has its own random stream, so that the first ones stay the same when more are asked for.
std::vector<std::uint8_t> draw_jpeg(const Arguments& arguments, int species, int number) {
  KeyedRandom random(arguments.seed, RandomPurpose::synthesis, static_cast<std::uint32_t>(species),
                     static_cast<std::uint64_t>(number));
  const auto side = [&] { return int(std::lround(float(arguments.size) * random.uniform(0.8F, 1.2F))); };
  const int height = side(), width = side();
  const int quality = 80 + int(random.below(16));
  return image::encode_jpeg(draw_scene(static_cast<Species>(species), height, width, random), quality);
}

void write_set(const Arguments& arguments) {
  Draft draft(arguments.output);
  TarWriter tar(draft.path());
  const int classes = int(species_names.size());
  Progress progress("drawing", "pictures", std::int64_t{classes} * arguments.per_class, true);
  for (int species = 0; species < classes; ++species)
    for (int number = 0; number < arguments.per_class; ++number) {
      tar.add(fmt::format("synth_flowers/{}/{:04}.jpg", species_names[species], number),
              draw_jpeg(arguments, species, number));
      progress.update(std::int64_t{species} * arguments.per_class + number + 1);
    }
  tar.close();
  progress.finish();
  draft.publish();
  fmt::print("{} pictures of {} classes: {}\n", classes * arguments.per_class, classes, arguments.output);
}

int run(int argc, char** argv) {
  po::options_description options(description);
  const Arguments arguments = parse(argc, argv, options);
  if (arguments.help)
    std::cout << options;
  else
    write_set(arguments);
  return 0;
}

int report(const std::exception& error, int status) {
  fmt::print(stderr, "whorl-synth: error: {}\n", error.what());
  return status;
}

}  // namespace
}  // namespace whorl::synth

int main(int argc, char** argv) {
  try {
    return whorl::synth::run(argc, argv);
  } catch (const whorl::UsageError& error) {
    return whorl::synth::report(error, 2);
  } catch (const std::exception& error) {
    return whorl::synth::report(error, 1);
  }
}
