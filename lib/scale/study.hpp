// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace whorl::scale {

/// What a scaling study measures: the content of a study file. Lists are factors; every combination is a
/// point.
struct Study {
  std::vector<std::string> workloads{"train"};  ///< train, ingest, read-warm, read-cold
  std::vector<std::string> scaling{"strong", "weak"};
  std::vector<int> ranks;                                   ///< empty: 1, 2, 4 ... and all
  std::vector<std::string> placements{"packed", "spread"};  ///< see ranks_in_turn()
  std::vector<int> threads{0};                              ///< of each rank; 0: mpi::default_threads()
  int repeats = 3;
  std::uint64_t seed = 1;  ///< of the random order

  std::string job;                       ///< job file of the trainings
  std::string data;                      ///< dataset of the trainings and readings
  std::int64_t steps = 20;               ///< of each timed training
  std::vector<std::int64_t> batches;     ///< global with strong, per rank with weak scaling; empty: the job's
  std::vector<std::string> all_reduces;  ///< empty: the job's

  std::int64_t pictures =
      0;  ///< read by all ranks together with strong, by each with weak scaling; 0: an epoch

  std::string input;  ///< pictures of the ingests; with weak scaling as often as there are ranks
  int size = 192;     ///< height and width they are stored in
};

/// One `key = value` that a file or a command line sets.
struct StudySetting {
  std::string key, value, origin;
};

/// Throws UsageError naming file and key for what cannot be.
std::vector<StudySetting> parse_study_file(const std::string& file, const std::string& text);
/// Sets fields; later settings win. Throws UsageError naming the origin.
void apply_settings(Study& study, const std::vector<StudySetting>& settings);
/// Throws UsageError for what no study can be, such as a workload without its input.
void check(const Study& study);
/// The complete study file: parse_study_file() gives the same study back.
std::string resolved_text(const Study& study);
/// Every key with meaning and default, for --help.
std::string keys_text();
/// All keys, as flags without dashes.
std::vector<std::string> key_names();

}  // namespace whorl::scale
