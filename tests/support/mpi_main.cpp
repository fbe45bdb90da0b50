// SPDX-License-Identifier: BSD-3-Clause
// main() of the tests that run under mpirun: every rank runs the same tests in the same order; a failure on
// any rank fails all.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "mpi/communicator.hpp"
#include "mpi/session.hpp"

namespace {

// On the ranks other than 0: silent, except for what failed.
class FailuresOnly : public testing::EmptyTestEventListener {
 public:
  explicit FailuresOnly(int rank) : rank_(rank) {}
  void OnTestStart(const testing::TestInfo& info) override {
    test_ = std::string(info.test_suite_name()) + "." + info.name();
  }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::cerr << "rank " << rank_ << ", " << test_ << ": "
              << (result.file_name() != nullptr ? result.file_name() : "") << ":" << result.line_number()
              << ": failure\n"
              << result.message() << std::endl;
  }

 private:
  int rank_;
  std::string test_;
};

int run(whorl::mpi::Communicator& world) {
  const char* expected = std::getenv("WHORL_TEST_RANKS");
  if (expected == nullptr || std::stoi(expected) != world.size()) {
    throw whorl::CollectiveError("WHORL_TEST_RANKS is {}, but there are {} ranks",
                                 expected != nullptr ? expected : "not set", world.size());
  }
  if (!world.is_root()) {
    testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
    const std::unique_ptr<testing::TestEventListener> printer(
        listeners.Release(listeners.default_result_printer()));
    listeners.Append(new FailuresOnly(world.rank()));
  }
  const int failed_ranks = world.sum(RUN_ALL_TESTS() == 0 ? 0 : 1);
  if (failed_ranks > 0 && world.is_root()) std::cerr << "tests failed on " << failed_ranks << " ranks\n";
  return failed_ranks == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return whorl::mpi::run_main(argc, argv, "mpi test",
                              [](whorl::mpi::Communicator& world, int, char**) { return run(world); });
}
