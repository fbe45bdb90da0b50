// SPDX-License-Identifier: BSD-3-Clause
// whorl-doctor: what would slow down or stop a job, told before the job wastes its allocation.
#include <fmt/core.h>

#include <boost/program_options.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <sstream>

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "base/file_system.hpp"
#include "doctor/binding.hpp"
#include "doctor/clock.hpp"
#include "doctor/gpu.hpp"
#include "doctor/links.hpp"
#include "doctor/memory.hpp"
#include "doctor/mpi_library.hpp"
#include "doctor/report.hpp"
#include "doctor/scratch.hpp"
#include "doctor/watchdog.hpp"
#include "mpi/session.hpp"

namespace {

namespace po = boost::program_options;
using namespace whorl;
using namespace whorl::doctor;

constexpr const char* introduction =
    R"(Examines what a job is about to use: binding and clock of every rank, the MPI library and the network it
really takes, links between ranks and nodes, memory and limits, GPUs and NCCL, MPI-IO, HDF5 and the disk. Takes seconds.

  jobs/launch.sh --ranks 4 whorl-doctor --scratch DIR       on a workstation, and within a Slurm job
  mpirun -n 4 whorl-doctor --scratch DIR

Exit status: 0, also with warnings; 1 with a failure. Options)";

struct Options {
  std::string scratch = ".", json;
  int limit = 20;
};

/// Nothing where help was asked for; then `help` is the text.
std::optional<Options> parse_options(int argc, char** argv, std::string& help) {
  Options options;
  po::options_description description(introduction);
  auto add = description.add_options();
  add("help,h", "this text");
  add("scratch", po::value(&options.scratch)->default_value(options.scratch),
      "the folder that jobs read and write; a subfolder is made there, and removed");
  add("json", po::value(&options.json), "write every figure to this file");
  add("limit", po::value(&options.limit)->default_value(options.limit),
      "seconds after which what hangs is given up");
  const auto values = parse_command_line(argc, argv, description, "a folder is given as --scratch DIR");
  if (options.limit < 1) throw UsageError("--limit {}: at least 1 second", options.limit);
  if (!values.contains("help")) return options;
  std::ostringstream text;
  text << description;
  help = text.str();
  return std::nullopt;
}

/// Every check, printed as it ends.
std::vector<Check> examine(const mpi::Communicator& world, const Layout& layout, const Options& options) {
  Watchdog watchdog(options.limit, layout.name(world.rank()));
  std::vector<Check> checks;
  const auto print = [&](Check check) {
    if (world.is_root()) fmt::print("{}", table_rows(check));
    std::fflush(stdout);
    checks.push_back(std::move(check));
  };
  const auto run = [&](const char* name, Check (*check)(const mpi::Communicator&, const Layout&)) {
    watchdog.look_at(name);
    print(check(world, layout));
  };
  run("binding", check_binding);
  run("clock", check_clock);
  run("MPI", check_mpi_library);
  run("within nodes", check_within_nodes);
  run("between nodes", check_between_nodes);
  run("wall clocks", check_wall_clocks);
  run("memory", check_memory);
  run("GPU", check_gpus);
  run("NCCL", check_nccl);
  watchdog.look_at("files in " + options.scratch);
  for (Check& check : check_scratch(world, layout, options.scratch)) print(std::move(check));
  return checks;
}

int run(const mpi::Communicator& world, int argc, char** argv) {
  std::string help;
  const std::optional<Options> options = parse_options(argc, argv, help);
  if (!options) {
    if (world.is_root()) fmt::print("{}", help);
    return 0;
  }
  const auto start = std::chrono::steady_clock::now();
  const Layout layout = layout_of(world);
  if (world.is_root()) fmt::print("whorl-doctor: {}\n\n", heading(layout));
  const std::vector<Check> checks = examine(world, layout, *options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  mpi::on_root(world, [&] {
    fmt::print("\n{}", summary(checks, seconds));
    if (!options->json.empty())
      write_file_atomically(options->json, record(layout, checks, seconds).dump(2) + "\n");
  });
  return worst(checks) == Level::fail ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // an error of write(), with a message, instead of the end of the process
  return mpi::run_main(argc, argv, "whorl-doctor", [](mpi::Communicator& world, int count, char** words) {
    return run(world, count, words);
  });
}
