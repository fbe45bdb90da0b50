// SPDX-License-Identifier: BSD-3-Clause
#include "scale/study.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <functional>
#include <sstream>
#include <type_traits>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "scale/placement.hpp"

namespace whorl::scale {

namespace {

template <typename T>
bool parse(const std::string& text, T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    value = text;
    return true;
  } else {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  }
}

template <typename T>
bool parse(const std::string& text, std::vector<T>& values) {
  values.clear();
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    word.erase(std::remove(word.begin(), word.end(), ' '), word.end());
    if (!parse(word, values.emplace_back())) return false;
  }
  return true;
}

template <typename T>
std::string print(const T& value) {
  return fmt::format("{}", value);
}
template <typename T>
std::string print(const std::vector<T>& values) {
  return fmt::format("{}", fmt::join(values, ","));
}

struct Key {
  std::string name, description;
  std::function<bool(Study&, const std::string&)> set;
  std::function<std::string(const Study&)> get;
};

template <typename T>
Key key(std::string name, T Study::*field, std::string description) {
  return {std::move(name), std::move(description),
          [field](Study& study, const std::string& text) { return parse(text, study.*field); },
          [field](const Study& study) { return print(study.*field); }};
}

const std::vector<Key>& keys() {
  static const std::vector<Key> all{
      key("study.workloads", &Study::workloads,
          "what is timed: train, ingest, read-warm, read-cold (shuffled pictures out of the page cache, from "
          "the disk)"),
      key("study.scaling", &Study::scaling,
          "strong: the same work on more ranks; weak: the same work on each rank"),
      key("study.ranks", &Study::ranks, "numbers of ranks; empty: 1, 2, 4 ... and all of the allocation"),
      key("study.placements", &Study::placements,
          "packed: a node is filled before the next is used; spread: a rank on each node in turn; a number: "
          "so many ranks on each node in turn. Where two make no difference, the first is timed"),
      key("study.threads", &Study::threads,
          "threads of each rank; 0: OMP_NUM_THREADS where it is set, else one for each of its cores"),
      key("study.repeats", &Study::repeats, "timings of each point, each time in another random order"),
      key("study.seed", &Study::seed, "of the random order"),
      key("train.job", &Study::job, "job file of the trainings"),
      key("train.data", &Study::data, "dataset of the trainings and readings"),
      key("train.steps", &Study::steps, "steps of one timing"),
      key("train.batches", &Study::batches,
          "global batches with strong, pictures per rank and step with weak scaling; empty: the job's"),
      key("train.all_reduces", &Study::all_reduces, "all-reduce algorithms; empty: the job's"),
      key("read.pictures", &Study::pictures,
          "pictures that all ranks together read with strong, each rank with weak scaling; 0: an epoch"),
      key("ingest.input", &Study::input,
          "pictures of the ingests: a folder or a tar; weak: once for each rank"),
      key("ingest.size", &Study::size, "height and width of the stored pictures"),
  };
  return all;
}

void require_all(const std::vector<std::string>& values, std::vector<std::string> choices, const char* name) {
  if (values.empty()) throw UsageError("{} is empty; it takes {}", name, fmt::join(choices, ", "));
  for (const std::string& value : values) {
    if (std::find(choices.begin(), choices.end(), value) == choices.end())
      throw UsageError("{} = {}: there is only {}", name, value, fmt::join(choices, ", "));
  }
}

template <typename T>
void require_at_least(const std::vector<T>& values, T least, const char* name) {
  for (const T value : values) {
    if (value < least) throw UsageError("{} = {}: it must be {} or more", name, value, least);
  }
}

}  // namespace

std::vector<std::string> key_names() {
  std::vector<std::string> names;
  for (const Key& one : keys()) names.push_back(one.name);
  return names;
}

std::vector<StudySetting> parse_study_file(const std::string& file, const std::string& text) {
  namespace po = boost::program_options;
  po::options_description options;
  for (const Key& one : keys()) options.add_options()(one.name.c_str(), po::value<std::string>());
  std::vector<StudySetting> settings;
  try {
    std::istringstream stream(text);
    for (const po::option& option : po::parse_config_file(stream, options, true).options)
      settings.push_back({option.string_key, option.value.at(0), file});
  } catch (const po::error& error) {
    throw UsageError("{}: {}", file, error.what());
  }
  return settings;
}

void apply_settings(Study& study, const std::vector<StudySetting>& settings) {
  for (const StudySetting& setting : settings) {
    const auto found =
        std::find_if(keys().begin(), keys().end(), [&](const Key& one) { return one.name == setting.key; });
    if (found == keys().end()) {
      const std::string guess = nearest(setting.key, key_names());
      throw UsageError("{}: there is no key '{}'{}; whorl-scale --help lists all", setting.origin,
                       setting.key, guess.empty() ? "" : fmt::format("; did you mean '{}'?", guess));
    }
    if (!found->set(study, setting.value))
      throw UsageError("{}: {} = '{}' is not a number, or a list of numbers with commas between",
                       setting.origin, setting.key, setting.value);
  }
}

void check(const Study& study) {
  require_all(study.workloads, {"train", "ingest", "read-warm", "read-cold"}, "study.workloads");
  require_all(study.scaling, {"strong", "weak"}, "study.scaling");
  if (study.placements.empty()) throw UsageError("study.placements is empty; packed is one");
  for (const std::string& placement : study.placements) {
    if (!ranks_in_turn(placement))
      throw UsageError("study.placements = {}: there is packed, spread, or a number of ranks on each node",
                       placement);
  }
  require_at_least(study.ranks, 1, "study.ranks");
  require_at_least(study.threads, 0, "study.threads");
  require_at_least(study.batches, std::int64_t{1}, "train.batches");
  require_at_least(std::vector{study.repeats}, 1, "study.repeats");
  require_at_least(std::vector{study.steps}, std::int64_t{1}, "train.steps");
  require_at_least(std::vector{study.pictures}, std::int64_t{0}, "read.pictures");
  if (study.threads.empty())
    throw UsageError("study.threads is empty; 0 takes OMP_NUM_THREADS, or the cores of a rank");
  for (const std::string& workload : study.workloads) {
    if (workload == "train" && (study.job.empty() || study.data.empty()))
      throw UsageError("the workload train needs train.job and train.data (--data FILE.h5)");
    if (workload.starts_with("read") && study.data.empty())
      throw UsageError("the workload {} needs train.data (--data FILE.h5)", workload);
    if (workload == "ingest" && study.input.empty())
      throw UsageError("the workload ingest needs ingest.input, a folder or a tar of pictures");
  }
}

std::string resolved_text(const Study& study) {
  std::string text, section;
  for (const Key& one : keys()) {
    const std::size_t dot = one.name.find('.');
    if (one.name.substr(0, dot) != section) {
      text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", one.name.substr(0, dot));
      section = one.name.substr(0, dot);
    }
    text += fmt::format("{} = {}\n", one.name.substr(dot + 1), one.get(study));
  }
  return text;
}

std::string keys_text() {
  const Study defaults;
  std::string text;
  for (const Key& one : keys())
    text += fmt::format("  --{}={}\n      {}\n", one.name, one.get(defaults), one.description);
  return text;
}

}  // namespace whorl::scale
