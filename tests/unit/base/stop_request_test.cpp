// SPDX-License-Identifier: BSD-3-Clause
#include "base/stop_request.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <cstdlib>
#include <ctime>
#include <string>

#include "base/activity.hpp"

namespace whorl {
namespace {

TEST(StopRequest, IsMadeByEitherSignal) {
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT}) {
    const StopRequest request(0);
    EXPECT_FALSE(request.is_pending()) << "what was asked of the one before is forgotten";
    raise(signal);
    EXPECT_TRUE(request.is_pending());
  }
  raise(SIGTERM);  // one more, on the way out
}

TEST(StopRequest, LeavesTheSignalsAsTheyWereWhereNoneCame) {
  { const StopRequest request(0); }
  EXPECT_EXIT(raise(SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

TEST(StopRequest, LeavesTheSignalsIgnoredWhereItWasAgreed) {
  { StopRequest(0).set_agreed(); }
  EXPECT_EXIT((raise(SIGTERM), raise(SIGUSR1), std::exit(0)), testing::ExitedWithCode(0), "");
}

TEST(StopRequest, IsMadeByTheEndOfTheTime) {
  EXPECT_FALSE(StopRequest(0).is_pending());
  EXPECT_FALSE(StopRequest(100'000).is_pending());
  EXPECT_TRUE(StopRequest(1e-9).is_pending());
}

TEST(StopRequest, IsMadeByTheEndOfASlurmJob) {
  const auto end_after = [](int seconds) {
    setenv("SLURM_JOB_END_TIME", std::to_string(std::time(nullptr) + seconds).c_str(), 1);
  };
  end_after(0);
  EXPECT_TRUE(StopRequest(100'000).is_pending());
  end_after(50);
  EXPECT_FALSE(StopRequest(0).is_pending()) << "a tenth of it ahead";
  end_after(100'000);
  EXPECT_FALSE(StopRequest(0).is_pending());
  EXPECT_TRUE(StopRequest(1e-9).is_pending());
  unsetenv("SLURM_JOB_END_TIME");
}

TEST(Activity, IsToldWithItsStep) {
  set_activity("all-reduce", 12);
  EXPECT_EQ(activity(), "all-reduce, step 12");
  set_activity("set-up");
  EXPECT_EQ(activity(), "set-up");
}

}  // namespace
}  // namespace whorl
