// SPDX-License-Identifier: BSD-3-Clause
// A training that is continued from any step, on all ranks or on one, ends with the weights of one that was
// not interrupted.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "mpi/train/tiny_dataset.hpp"
#include "support/thrown_message.hpp"
#include "train/trainer.hpp"

namespace whorl::train {
namespace {

using test::tiny_job;
using test::TinyDataset;

constexpr int epochs = 2, steps_per_epoch = 3;

/// Everything that has a state: Muon, Lookahead, whitening bias.
Job full_job() {
  Job job = tiny_job("cpu", 5);
  job.train.epochs = epochs;
  job.optimizer.kind = "muon";
  job.optimizer.lookahead_every = 2;
  job.optimizer.whitening_bias_epochs = 1;
  return job;
}

struct Trained {
  std::string digest;
  std::vector<double> losses;  // of epochs that ended
  std::vector<State> states;   // after each step; from restored.step on
};

Trained train_on(Trainer& trainer) {
  Trained result;
  const auto keep = [&](std::int64_t, Requests) {
    result.states.push_back(trainer.state());
    return true;
  };
  while (!trainer.done())
    result.losses.push_back(trainer.next_epoch({.ask = {}, .after_step = keep})->train_loss);
  result.digest = weights_digest(trainer.weights().parameters);
  return result;
}

class Resume : public testing::Test {
 protected:
  void expect_resumed_equals(const Trained& undisturbed, const mpi::Communicator& comm, const State& state) {
    Trainer trainer(job_, comm, dataset_.reader());
    trainer.restore(state);
    EXPECT_EQ(trainer.state().loss, state.loss);
    const Trained rest = train_on(trainer);
    EXPECT_EQ(rest.digest, undisturbed.digest)
        << "from step " << state.step << " on " << comm.size() << " ranks";
    const auto missing = static_cast<std::ptrdiff_t>(undisturbed.losses.size() - rest.losses.size());
    EXPECT_EQ(rest.losses, std::vector(undisturbed.losses.begin() + missing, undisturbed.losses.end()));
  }

  const TinyDataset dataset_{20 * steps_per_epoch + 3, 6};
  const Job job_ = full_job();
  const mpi::Communicator world_ = mpi::Communicator::world(), alone_ = mpi::Communicator::self();
};

TEST_F(Resume, FromAnyStepGivesTheSameWeightsOnAnyNumberOfRanks) {
  Trainer on_all(job_, world_, dataset_.reader()), on_one(job_, alone_, dataset_.reader());
  const Trained together = train_on(on_all), single = train_on(on_one);
  ASSERT_EQ(together.states.size(), std::size_t{epochs * steps_per_epoch});
  ASSERT_EQ(together.digest, single.digest);
  for (std::size_t i = 0; i + 1 < together.states.size(); ++i) {
    EXPECT_EQ(together.states[i].step, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(together.states[i].loss, single.states[i].loss);
    expect_resumed_equals(single, world_, single.states[i]);
    expect_resumed_equals(single, alone_, together.states[i]);
  }
}

TEST_F(Resume, AfterTheLastStepOnlyEvaluates) {
  Trainer first(job_, world_, dataset_.reader());
  train_on(first);
  Trainer second(job_, world_, dataset_.reader());
  second.restore(first.state());
  EXPECT_TRUE(second.done());
  ASSERT_TRUE(second.final_evaluation());
  EXPECT_EQ(second.final_evaluation()->loss, first.final_evaluation()->loss);
}

TEST_F(Resume, AnEvaluationThatWasStoppedIsMadeUpFor) {
  Trainer first(job_, world_, dataset_.reader()), second(job_, world_, dataset_.reader());
  const auto ask = [&] {
    return Requests{.stop = first.steps_done() == steps_per_epoch, .checkpoint = false};
  };
  EXPECT_FALSE(first.is_evaluation_due()) << "nothing to evaluate yet";
  EXPECT_FALSE(first.make_up_evaluation());
  EXPECT_FALSE(first.next_epoch({.ask = ask, .after_step = {}})->test);
  second.restore(first.state());
  EXPECT_TRUE(second.is_evaluation_due());
  const auto made_up = second.make_up_evaluation();
  ASSERT_TRUE(made_up);
  EXPECT_EQ(made_up->loss, first.make_up_evaluation()->loss);
  train_on(first);
  EXPECT_TRUE(first.is_evaluated_finally());
  Trainer third(job_, world_, dataset_.reader());
  third.restore(first.state());
  EXPECT_FALSE(third.final_evaluation([] { return true; }));
}

TEST_F(Resume, AStateThatDoesNotFitIsRefusedByAllRanks) {
  Trainer trainer(job_, world_, dataset_.reader());
  const State whole = trainer.state();
  const auto message_of = [&](const State& state) {
    return test::thrown_message<CollectiveError>([&] { trainer.restore(state); });
  };
  State state = whole;
  state.parameters.pop_back();
  EXPECT_NE(message_of(state).find("cannot go on"), std::string::npos);
  state = whole;
  state.optimizer.momentum.clear();
  EXPECT_NE(message_of(state).find("0 of momentum"), std::string::npos);
  state = whole;
  state.step = epochs * steps_per_epoch + 1;
  EXPECT_NE(message_of(state).find("cannot go on from step 7"), std::string::npos);
  state = whole;
  state.gradient_sum = {1, 2};
  EXPECT_NE(message_of(state).find("the units of 2"), std::string::npos);
}

TEST_F(Resume, AHookEndsTheEpochOnAllRanksAtTheStepOfOnesRequest) {
  Trainer trainer(job_, world_, dataset_.reader());
  std::int64_t done = 0;
  const auto epoch = trainer.next_epoch(
      {.ask = [&] { return Requests{.stop = done == 1 && world_.rank() == world_.size() - 1}; },
       .after_step =
           [&](std::int64_t steps, Requests agreed) {
             done = steps;
             EXPECT_FALSE(agreed.checkpoint);
             return !agreed.stop;
           }});
  EXPECT_FALSE(epoch.has_value());
  EXPECT_EQ(done, 2);
  EXPECT_EQ(trainer.steps_done(), 2);
}

TEST_F(Resume, FloatSumsAgreeOnRequestsToo) {
  Job job = job_;
  job.train.reproducible = false;
  Trainer trainer(job, world_, dataset_.reader());
  std::vector<bool> agreed_on;
  trainer.next_epoch(
      {.ask = [&] { return Requests{.checkpoint = agreed_on.size() == 1 && world_.is_root()}; },
       .after_step =
           [&](std::int64_t, Requests agreed) {
             agreed_on.push_back(agreed.checkpoint);
             return true;
           }});
  EXPECT_EQ(agreed_on, (std::vector<bool>{false, true, false}));
  Trainer resumed(job, world_, dataset_.reader());
  resumed.restore(trainer.state());
  EXPECT_EQ(resumed.state().parameters, trainer.state().parameters);
}

}  // namespace
}  // namespace whorl::train
