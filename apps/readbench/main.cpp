// SPDX-License-Identifier: BSD-3-Clause
// whorl-readbench: measures reading.
#include <fmt/core.h>

#include "base/file_system.hpp"
#include "base/progress.hpp"
#include "mpi/session.hpp"
#include "options.hpp"
#include "readbench/prepare.hpp"
#include "readbench/report.hpp"
#include "readbench/usage.hpp"

namespace {

namespace fs = std::filesystem;
using namespace whorl;
using namespace whorl::readbench;

int run_prepare(const mpi::Communicator& comm, const Options& options) {
  std::vector<SourceName> sources;
  mpi::on_root(comm, [&] { sources = prepare(options.prepare, options.from); });
  if (!comm.is_root()) return 0;
  fmt::print("made; to measure all of them:\nmpirun -n {} whorl-readbench", comm.size());
  for (const SourceName& source : sources) fmt::print(" --source {}={}", source.kind, source.path.string());
  fmt::print("\n");
  return 0;
}

std::string command_of(int argc, char** argv) {
  std::string command = "whorl-readbench";
  for (int i = 1; i < argc; ++i) command += std::string(" ") + argv[i];
  return command;
}

void write_records(const Report& report, const fs::path& folder) {
  write_file_atomically(folder / "rows.csv", format_csv(report));
  write_file_atomically(folder / "report.json", format_json(report));
  write_file_atomically(folder / "report.txt", format_summary(report) + format_details(report));
  const auto figures = draw_figures(report, folder / "figures");
  fmt::print("\nwritten to {}: rows.csv, report.json, report.txt, {} figures\n", folder.string(),
             figures.size());
  if (figures.empty())
    fmt::print("figures are not drawn: gnuplot is not installed (Debian: gnuplot-nox); run it on {}\n",
               (folder / "figures" / "*.gp").string());
}

Report measure_all(const mpi::Communicator& comm, const Study& study) {
  Report report{
      .study = study, .hosts = comm.all_gather(mpi::host_name()), .mpi_library = mpi::library_version()};
  Bench bench(study, comm);
  report.facts = bench.facts();
  comm.barrier();
  report.copy_bandwidth = comm.sum(measure_copy_bandwidth());
  Progress progress("measuring", "turns", std::ssize(plan_turns(study)), comm.is_root());
  report.measurements = bench.measure([&](const Measurement& turn) { progress.update(turn.turn); });
  progress.finish();
  report.groups = analyse(report.measurements, comm.size(), report.copy_bandwidth, study.seed);
  report.conclusions = conclusions(report.groups, study);
  return report;
}

int run(const mpi::Communicator& comm, int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    if (comm.is_root()) fmt::print("{}", help_text());
    return 0;
  }
  if (!options->prepare.empty()) return run_prepare(comm, *options);
  // Before hours are spent on what then cannot be kept.
  mpi::on_root(comm, [&] {
    if (!options->output.empty()) fs::create_directories(options->output);
  });
  Report report = measure_all(comm, options->study);
  report.command = command_of(argc, argv);
  mpi::on_root(comm, [&] {
    fmt::print("{}", format_summary(report));
    if (options->output.empty())
      fmt::print("\nrows, averages, fits, regressions and figures: --output DIR\n");
    else
      write_records(report, options->output);
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return whorl::mpi::run_main(argc, argv, "whorl-readbench",
                              [](whorl::mpi::Communicator& world, int count, char** arguments) {
                                return run(world, count, arguments);
                              });
}
