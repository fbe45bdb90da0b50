// SPDX-License-Identifier: BSD-3-Clause
#include "options.hpp"

#include <boost/program_options.hpp>
#include <sstream>
#include <vector>

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "mpi/watchdog.hpp"

namespace {

namespace po = boost::program_options;
using whorl::UsageError;
using whorl::ingest::Options;

constexpr const char* introduction =
    R"(Turns pictures into one HDF5 dataset file, in parallel.

  mpirun -n 4 whorl-ingest --input flower_photos --output flowers.h5
  mpirun -n 4 whorl-ingest --input photos.tar --output photos.h5 --size 224 --test-fraction 0.1
  mpirun -n 4 whorl-ingest --input train.tar.gz --input more/ --output all.h5 --store jpeg
  mpirun -n 2 whorl-ingest --input cifar-10-batches-bin --output cifar10.h5

An input is recognised by its content:
  a folder, or a tar of one (plain, or compressed by gzip, bzip2, xz or zstd), of JPEG pictures: CLASS/PICTURE.jpg, or with
    a split of its own, train/CLASS/PICTURE.jpg and test/CLASS/PICTURE.jpg (val, valid and validation count as test);
  CIFAR-10 in its binary or its Python form, in a folder or a tar.
The file is the same for any number of ranks. It appears under its name only when it is whole. A job that is killed leaves a
folder FILE.h5.partial-XXXXXX; the same command with --resume goes on from there, and the file is the same as ever.

)";

constexpr const char* layout =
    R"(
In the file: train/images (uint8: pictures, height, width, 3), train/labels, train/names, and the same under test;
rejected/name and rejected/reason; class_names, channel_mean and channel_std as attributes. Look at it with whorl-inspect, h5dump or h5py.
)";

struct Texts {
  std::vector<std::string> inputs;
  std::string output, store;
};

po::options_description describe_options(Options& options, Texts& texts) {
  po::options_description description("Options", 110);
  auto add = description.add_options();
  add("help,h", "print this text");
  add("input", po::value(&texts.inputs)->value_name("PATH"), "what to read; may be given several times");
  add("output", po::value(&texts.output)->value_name("FILE.h5"), "what to write");
  add("size", po::value(&options.size)->value_name("N")->default_value(options.size),
      "height and width: the shorter side is scaled to it, the centre cut out; CIFAR always stays 32");
  add("test-fraction",
      po::value(&options.test_fraction)->value_name("F")->default_value(options.test_fraction, "0.2"),
      "share of test pictures where the input has no split of its own");
  add("seed", po::value(&options.seed)->value_name("S")->default_value(options.seed),
      "another number draws another split");
  add("store", po::value(&texts.store)->value_name("pixels|jpeg")->default_value("pixels"),
      "pixels are read fastest; jpeg needs about a tenth of the space");
  add("quality", po::value(&options.quality)->value_name("Q")->default_value(options.quality),
      "of --store jpeg, 1 to 100");
  add("max-rejects",
      po::value(&options.max_rejects)->value_name("F")->default_value(options.max_rejects, "0.01"),
      "fail when a larger share of the pictures cannot be decoded; 1 never fails");
  add("watchdog", po::value(&options.watchdog)->value_name("SECONDS")->default_value(options.watchdog),
      "a rank that does not answer for so long (stopped, or cut off the network) ends the job, 2 or more; 0: "
      "never");
  add("overwrite", po::bool_switch(&options.overwrite), "replace FILE.h5 if it is there");
  add("resume", po::bool_switch(&options.resume),
      "go on where interrupted jobs of this input and these options stopped; where there are none, begin; "
      "where FILE.h5 is finished, do nothing");
  return description;
}

void check(bool condition, const std::string& message) {
  if (!condition) throw UsageError(message);
}

void check_ranges(const Options& options, const Texts& texts) {
  check(!texts.inputs.empty(), "nothing to read: --input PATH is missing; --help shows examples");
  check(!texts.output.empty(), "nothing to write: --output FILE.h5 is missing; --help shows examples");
  check(options.size >= 8 && options.size <= 4096,
        fmt::format("--size {} is not between 8 and 4096", options.size));
  check(options.quality >= 1 && options.quality <= 100,
        fmt::format("--quality {} is not between 1 and 100", options.quality));
  check(options.test_fraction >= 0 && options.test_fraction <= 1,
        fmt::format("--test-fraction {} is not between 0 and 1", options.test_fraction));
  check(options.max_rejects >= 0 && options.max_rejects <= 1,
        fmt::format("--max-rejects {} is not between 0 and 1", options.max_rejects));
  check(whorl::mpi::Watchdog::is_limit(options.watchdog),
        fmt::format("--watchdog {} is neither 0 nor 2 or more: ranks tell of themselves twice a second, and "
                    "may be late",
                    options.watchdog));
  check(texts.store == "pixels" || texts.store == "jpeg",
        fmt::format("--store {} is neither pixels nor jpeg", texts.store));
}

}  // namespace

std::string help_text() {
  Options options;
  Texts texts;
  std::ostringstream text;
  text << introduction << describe_options(options, texts) << layout;
  return text.str();
}

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  Texts texts;
  const po::options_description description = describe_options(options, texts);
  if (whorl::parse_command_line(argc, argv, description, "inputs are given as --input PATH").contains("help"))
    return std::nullopt;
  check_ranges(options, texts);
  options.inputs.assign(texts.inputs.begin(), texts.inputs.end());
  options.output = texts.output;
  if (texts.store == "jpeg") options.storage = whorl::dataset::Storage::jpeg;
  return options;
}
