// SPDX-License-Identifier: BSD-3-Clause
#include "collective/background.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "support/thrown_message.hpp"

namespace whorl::collective {
namespace {

/// Sums that end in reverse order: only the first takes more than a moment.
class FirstIsSlow : public AllReduce {
 public:
  static constexpr int calls_of_first = 50;

  std::string name() const override { return "first is slow"; }
  std::optional<Cost> cost(Values) const override { return {}; }
  std::optional<Cost> spent() const override { return {}; }
  Ticket start_sum(Values) override { return {next_++}; }
  void progress() override { ++calls_; }
  bool done(Ticket ticket) const override { return ticket.id > 0 || calls_ >= calls_of_first; }
  void wait(Ticket) override {}

 private:
  std::uint64_t next_ = 0;
  int calls_ = 0;
};

class Fails : public FirstIsSlow {
 public:
  void progress() override { throw Error("the network is gone"); }
};

TEST(Background, AFailureOfItsThreadIsThrownToWhoeverWaits) {
  Background all_reduce(std::make_unique<Fails>());
  const Ticket ticket = all_reduce.start_sum({});
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!all_reduce.done(ticket) && std::chrono::steady_clock::now() < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(all_reduce.done(ticket));
  EXPECT_EQ(test::thrown_message<Error>([&] { all_reduce.wait(ticket); }), "the network is gone");
  EXPECT_EQ(test::thrown_message<Error>([&] { all_reduce.start_sum({}); }), "the network is gone");
}

TEST(Background, MovesOnWhatWasStartedBeforeASumThatIsDone) {
  Background all_reduce(std::make_unique<FirstIsSlow>());
  const Ticket first = all_reduce.start_sum({});
  all_reduce.start_sum({});
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!all_reduce.done(first) && std::chrono::steady_clock::now() < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(all_reduce.done(first));
}

}  // namespace
}  // namespace whorl::collective
