// SPDX-License-Identifier: BSD-3-Clause
// Ends in the way that its argument names; run_main_test.sh looks at what a person would see.
#include <new>
#include <string>

#include "base/error.hpp"
#include "mpi/communicator.hpp"
#include "mpi/file.hpp"
#include "mpi/session.hpp"

namespace {

int end(whorl::mpi::Communicator& world, const std::string& how) {
  // Closing a file is collective: its destructor must not wait for ranks that never come.
  const auto file = whorl::mpi::File::open(world, "ending-file", whorl::mpi::File::Mode::create);
  const int last = world.size() - 1;
  if (how == "status") return 3;
  if (how == "usage") throw whorl::UsageError("no option named petal");
  if (how == "collective") throw whorl::CollectiveError("no pictures found");
  if (how == "one-rank" && world.rank() == last) throw whorl::Error("cannot decode rose.jpg");
  if (how == "memory" && world.rank() == last) throw std::bad_alloc();
  if (how == "foreign" && world.rank() == last) throw 42;
  world.barrier();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return whorl::mpi::run_main(argc, argv, "ending-program",
                              [](whorl::mpi::Communicator& world, int count, char** arguments) {
                                return end(world, count > 1 ? arguments[1] : "");
                              });
}
