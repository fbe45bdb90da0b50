// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <numeric>

#include "base/progress.hpp"
#include "ingest/ingest.hpp"

namespace whorl::ingest {

namespace {

constexpr std::size_t most_classes = 20;  // listed one by one

std::string format_classes(const Summary& summary) {
  std::string text = fmt::format("  {:<24} {:>9} {:>9}\n", "class", "train", "test");
  const auto add_row = [&](const std::string& name, std::int64_t train, std::int64_t test) {
    text += fmt::format("  {:<24} {:>9} {:>9}\n", name, train, test);
  };
  const std::size_t listed = std::min(most_classes, summary.class_names.size());
  for (std::size_t i = 0; i < listed; ++i)
    add_row(printable(summary.class_names[i]), summary.class_counts[0][i], summary.class_counts[1][i]);
  if (summary.class_names.size() > listed)
    text += fmt::format("  ... and {} more classes\n", summary.class_names.size() - listed);
  const auto total = [](const std::vector<std::int64_t>& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  };
  add_row("all", total(summary.class_counts[0]), total(summary.class_counts[1]));
  return text;
}

std::string format_phases(const Summary& summary, int ranks) {
  std::string text =
      fmt::format("  {:<24} {:>9} {:>9} {:>9}   over {} ranks\n", "seconds", "min", "mean", "max", ranks);
  for (const mpi::PhaseStatistics& phase : summary.phases) {
    text +=
        fmt::format("  {:<24} {:>9.2f} {:>9.2f} {:>9.2f}\n", phase.name, phase.min, phase.mean, phase.max);
  }
  return text;
}

}  // namespace

std::string format_summary(const Summary& summary, const Options& options, int ranks) {
  std::int64_t pictures = summary.rejected;
  for (const auto& counts : summary.class_counts)
    pictures = std::accumulate(counts.begin(), counts.end(), pictures);
  return fmt::format("{}: {}, {} rejected\n", options.output.string(),
                     format_bytes(static_cast<double>(summary.file_bytes)), summary.rejected) +
         format_classes(summary) + format_phases(summary, ranks) +
         fmt::format("  {} pictures in {}: {:.0f} pictures/s, {}/s read\n", pictures,
                     format_duration(summary.seconds), static_cast<double>(pictures) / summary.seconds,
                     format_bytes(static_cast<double>(summary.source_bytes) / summary.seconds));
}

}  // namespace whorl::ingest
