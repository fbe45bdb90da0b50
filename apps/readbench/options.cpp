// SPDX-License-Identifier: BSD-3-Clause
#include "options.hpp"

#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>

#include "base/command_line.hpp"
#include "base/error.hpp"

namespace {

namespace po = boost::program_options;
namespace readbench = whorl::readbench;
using readbench::Cache;
using whorl::UsageError;
using whorl::dataset::Order;

constexpr const char* introduction =
    R"(Measures how fast pictures are read, from what, with which settings, on how many ranks.

  whorl-readbench --prepare forms --from flowers.h5
  mpirun -n 2 whorl-readbench --source folder=forms/pictures --source pixels=forms/pixels.h5 --output study
  mpirun -n 2 whorl-readbench --source pixels=big.h5 --order window --cache cold --prefetch 0,2,8

Every rank reads so many batches of so many pictures, its own share of each epoch. Every combination of the lists is run, all
in random order, and that so many times; before each, the page cache is dropped, or the same pictures are read once.

A source is KIND=PATH:
)";

struct Texts {
  std::vector<std::string> sources;
  std::string batch = "8,16,32,64", batches = "10,30,60", order = "sequential,shuffled", cache = "cold,warm",
              decode = "on,off", prefetch = "0", prepare, from, output;
};

po::options_description describe_options(Options& options, Texts& texts) {
  readbench::Study& study = options.study;
  po::options_description description("Options", 110);
  auto add = description.add_options();
  const auto list = [](std::string& text) {
    return po::value(&text)->value_name("LIST")->default_value(text);
  };
  add("help,h", "print this text");
  add("source", po::value(&texts.sources)->value_name("KIND=PATH"),
      "what to read; given once for each source");
  add("batch", list(texts.batch), "pictures in a batch");
  add("batches", list(texts.batches), "batches that each rank reads");
  add("repeat", po::value(&study.repeat)->value_name("N")->default_value(study.repeat), "replicates");
  add("order", list(texts.order),
      "sequential, shuffled, window (blocks in random order, shuffled in windows of them)");
  add("cache", list(texts.cache), "cold, warm");
  add("decode", list(texts.decode), "on, off (JPEG is fetched, not decoded)");
  add("prefetch", list(texts.prefetch), "batches read ahead by a thread; 0: none");
  add("size", po::value(&study.size)->value_name("N")->default_value(study.size),
      "decode JPEG to squares of N pixels, as ingest does; 0: as large as they are");
  add("block", po::value(&study.window.block)->value_name("N")->default_value(study.window.block),
      "of --order window: neighbouring pictures in a block");
  add("window-blocks",
      po::value(&study.window.blocks_a_window)->value_name("N")->default_value(study.window.blocks_a_window),
      "of --order window: blocks in a window");
  add("seed", po::value(&study.seed)->value_name("S")->default_value(study.seed), "of all random orders");
  add("output", po::value(&texts.output)->value_name("DIR"),
      "write rows.csv, report.json, report.txt and figures there");
  add("prepare", po::value(&texts.prepare)->value_name("DIR"),
      "instead of measuring: make every form in the new folder DIR");
  add("from", po::value(&texts.from)->value_name("SET.h5"), "of this dataset");
  return description;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

std::vector<int> parse_numbers(const char* flag, const std::string& text, int least) {
  std::vector<int> numbers;
  for (const std::string& part : split(text)) {
    int& number = numbers.emplace_back();
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc{} || end != part.data() + part.size() || number < least || number > 1'000'000)
      throw UsageError("{} {}: expected whole numbers from {} to 1000000, with commas between", flag, text,
                       least);
  }
  if (numbers.empty()) throw UsageError("{} is empty", flag);
  return numbers;
}

template <typename Value>
std::vector<Value> parse_words(const char* flag, const std::string& text,
                               const std::vector<std::pair<std::string, Value>>& known) {
  std::vector<Value> values;
  for (const std::string& part : split(text)) {
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const auto& entry) { return entry.first == part; });
    if (found == known.end()) {
      std::string words;
      for (const auto& [word, value] : known) words += (words.empty() ? "" : ", ") + word;
      throw UsageError("{} {}: \"{}\" is none of {}", flag, text, part, words);
    }
    values.push_back(found->second);
  }
  if (values.empty()) throw UsageError("{} is empty", flag);
  return values;
}

void fill_study(readbench::Study& study, const Texts& texts) {
  for (const std::string& source : texts.sources) study.sources.push_back(readbench::parse_source(source));
  study.batch = parse_numbers("--batch", texts.batch, 1);
  study.batches = parse_numbers("--batches", texts.batches, 1);
  study.prefetch = parse_numbers("--prefetch", texts.prefetch, 0);
  study.order = parse_words<Order>(
      "--order", texts.order,
      {{"sequential", Order::sequential}, {"shuffled", Order::shuffled}, {"window", Order::window}});
  study.cache = parse_words<Cache>("--cache", texts.cache, {{"cold", Cache::cold}, {"warm", Cache::warm}});
  study.decode = parse_words<bool>("--decode", texts.decode, {{"on", true}, {"off", false}});
  if (study.repeat < 1) throw UsageError("--repeat {}: at least 1", study.repeat);
  if (study.size < 0 || study.size > 4096)
    throw UsageError("--size {} is not between 0 and 4096", study.size);
  if (study.window.block < 1 || study.window.blocks_a_window < 1)
    throw UsageError("--block and --window-blocks are at least 1");
}

}  // namespace

std::string help_text() {
  Options options;
  Texts texts;
  std::ostringstream text;
  text << introduction;
  for (const readbench::Kind& kind : readbench::kinds())
    text << fmt::format("  {:<8} {}\n", kind.name, kind.description);
  text << "\n" << describe_options(options, texts);
  return text.str();
}

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  Texts texts;
  const po::options_description description = describe_options(options, texts);
  if (whorl::parse_command_line(argc, argv, description, "sources are given as --source KIND=PATH")
          .contains("help"))
    return std::nullopt;
  fill_study(options.study, texts);
  options.output = texts.output;
  options.prepare = texts.prepare;
  options.from = texts.from;
  if (texts.prepare.empty() != texts.from.empty())
    throw UsageError("--prepare DIR and --from SET.h5 belong together");
  if (texts.prepare.empty() && texts.sources.empty())
    throw UsageError("nothing to read: --source KIND=PATH is missing; --help shows examples");
  if (!texts.prepare.empty() && !texts.sources.empty())
    throw UsageError("--prepare makes sources and measures none; leave out --source");
  return options;
}
