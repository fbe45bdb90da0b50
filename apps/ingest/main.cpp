// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/core.h>

#include "mpi/session.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
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
