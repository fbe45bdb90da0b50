// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "scale/plan.hpp"

// rows.csv of a study: one line for each timing, appended as it is made. Columns:
//   workload, scaling, placement, ranks, nodes, threads, batch, all_reduce, repeat   the configuration, see
//       Point; batch is global
//   pictures        trained, ingested or read, by all ranks together
//   seconds         wall clock, of the slowest rank; without set-up and evaluation
//   compute, communication, input, waiting, other   where these seconds went, mean over the ranks, see Split
//   all_reduce_ran  the algorithm that summed, which "auto" chose; "-" where nothing is summed
//   all_reduce_steps, all_reduce_bytes   of rank 0 for the whole timing, as the algorithm computes them,
//       before integers are packed; empty where it does not say
//   started         UTC
//   start           which start of the study made it, from 1 on: starts.json has its hosts, versions and
//   links
namespace whorl::scale {

/// Seconds, mean over the ranks; they add up to the wall clock.
struct Split {
  double compute = 0;        ///< forward, backward, optimizer; of an ingest: decoding
  double communication = 0;  ///< all-reduce that computation did not hide
  double input = 0;          ///< waiting for pictures; of an ingest: scanning and reading; of a reading: all
  double waiting = 0;        ///< for the slowest rank of each step, or of the reading (imbalance)
  double other = 0;          ///< the rest; of an ingest mostly writing
};

struct Row {
  Timing timing;
  std::int64_t pictures = 0;
  double seconds = 0;
  Split split;
  std::string all_reduce_ran = "-";
  std::optional<std::int64_t> all_reduce_steps, all_reduce_bytes;
  std::string started;
  int start = 1;

  double throughput() const { return static_cast<double>(pictures) / seconds; }
};

std::string csv_header();
std::string csv_line(const Row& row);
/// The text of a rows.csv, whole lines only: one cut short by a killed study is left out. Throws Error naming
/// `file` and line for what
/// is no row.
std::vector<Row> parse_rows(std::string text, const std::string& file);

/// Appends rows to a file; what append() has returned from survives a kill. One process uses it.
class RowFile {
 public:
  /// Creates the file with its header if it is not there; cuts off an unfinished last line.
  explicit RowFile(std::filesystem::path file);
  void append(const Row& row);

 private:
  std::filesystem::path file_;
};

}  // namespace whorl::scale
