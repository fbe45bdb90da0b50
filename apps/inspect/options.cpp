// SPDX-License-Identifier: BSD-3-Clause
#include "options.hpp"

#include <boost/program_options.hpp>
#include <sstream>

#include "base/command_line.hpp"
#include "base/error.hpp"

namespace whorl::inspect {
namespace {

namespace po = boost::program_options;

constexpr const char* description =
    "usage: whorl-inspect FILE.h5 [options]\n\n"
    "Shows what a dataset made by whorl-ingest holds: its schema, pictures per class, channel statistics, "
    "the first\n"
    "rows, and which pictures were rejected and why. To look at the pictures: whorl-inspect FILE.h5 --sheet "
    "sheet.jpg\n\n"
    "options";

dataset::Split parse_split(const std::string& name) {
  for (const auto split : {dataset::Split::train, dataset::Split::test})
    if (name == dataset::to_string(split)) return split;
  throw UsageError("--split {}: there are train and test", name);
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  std::string file, sheet, split;
  po::options_description visible(description), all;
  visible.add_options()("help,h", "this text")("rows", po::value(&options.rows)->default_value(5),
                                               "rows to show")(
      "split", po::value(&split)->default_value("train"),
      "train or test: where the rows and the sheet come from")(
      "sheet", po::value(&sheet), "write a labelled contact sheet of every class to this JPEG file")(
      "all-rejects", po::bool_switch(&options.all_rejects),
      "list all rejected pictures, not only the first 20")(
      "verify", po::bool_switch(&options.verify),
      "do nothing but compare every byte with its checksum and list what is damaged; "
      "quicker on several ranks: mpirun -n 4 whorl-inspect FILE.h5 --verify");
  all.add(visible).add_options()("file", po::value(&file));
  const auto values = parse_command_line(argc, argv, all, "one dataset at a time: whorl-inspect FILE.h5",
                                         po::positional_options_description().add("file", 1));
  if (values.contains("help")) options.help = (std::ostringstream() << visible).str();
  if (!options.help.empty()) return options;
  if (file.empty()) throw UsageError("which dataset? whorl-inspect FILE.h5; --help lists the options");
  if (options.rows < 0) throw UsageError("--rows {}: at least 0", options.rows);
  options.file = file;
  options.sheet = sheet;
  options.split = parse_split(split);
  return options;
}

}  // namespace whorl::inspect
