// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/core.h>

#include <csignal>

#include "mpi/session.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
  // A file that outgrows a limit (ulimit -f) shall be an error of write(), with a message, not the end of the
  // process.
  std::signal(SIGXFSZ, SIG_IGN);
  return whorl::mpi::run_main(
      argc, argv, "whorl-ingest", [](whorl::mpi::Communicator& world, int count, char** arguments) {
        const auto options = parse_options(count, arguments);
        if (!options) {
          if (world.is_root()) fmt::print("{}", help_text());
          return 0;
        }
        const whorl::ingest::Summary summary = whorl::ingest::ingest(world, *options);
        if (world.is_root()) fmt::print("{}", whorl::ingest::format_summary(summary, *options, world.size()));
        return 0;
      });
}
