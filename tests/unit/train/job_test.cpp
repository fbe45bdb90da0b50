// SPDX-License-Identifier: BSD-3-Clause
#include "train/job.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/thrown_message.hpp"
#include "train/job_keys.hpp"

namespace whorl::train {
namespace {

using test::thrown_message;
using testing::Test;

std::vector<Setting> read_file(const std::string& text) {
  return parse_job_file("my.ini", text);
}

std::string message_for_file(const std::string& text) {
  return thrown_message<UsageError>([&] {
    Job job;
    apply_settings(job, read_file(text));
  });
}

std::string message_for_flags(const std::vector<std::string>& arguments) {
  return thrown_message<UsageError>([&] {
    Job job;
    apply_settings(job, parse_command_line(arguments).settings);
  });
}

bool mentions(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

/// Another valid value than the default's, different for every key where the type allows it.
std::string changed_value(const JobKey& key, std::size_t index) {
  Job job;
  const std::string now = key.print(job);
  if (key.choices.size() > 1) return key.choices[key.choices[0] == now ? 1 : 0];
  for (const std::string& candidate : {std::string("true"), std::string("false"),
                                       fmt::format("0.{}5", index + 1), fmt::format("{}", index + 1000)}) {
    if (candidate != now && key.parse(job, candidate).empty()) return candidate;
  }
  return now;
}

TEST(Job, EveryKeyRoundTripsThroughTheResolvedText) {
  Job job;
  for (std::size_t i = 0; i < job_keys().size(); ++i) {
    const JobKey& key = job_keys()[i];
    const std::string value = changed_value(key, i);
    ASSERT_NE(value, key.print(Job{})) << key.name;
    apply_settings(job, {{key.name, value, "the test"}});
    ASSERT_EQ(key.print(job), value) << key.name;
  }
  Job again;
  apply_settings(again, read_file(resolved_text(job)));
  for (const JobKey& key : job_keys()) EXPECT_EQ(key.print(again), key.print(job)) << key.name;
  EXPECT_EQ(resolved_text(again), resolved_text(job));
}

TEST(Job, DefaultsRoundTrip) {
  Job job;
  apply_settings(job, read_file(resolved_text(Job{})));
  EXPECT_EQ(resolved_text(job), resolved_text(Job{}));
}

TEST(Job, NumbersKeepAllTheirDigits) {
  Job job;
  job.optimizer.learning_rate = 0.1 + 0.2;
  job.train.seed = 18446744073709551615ULL;
  job.schedule.milestones = {1.5, 1.0 / 3, 40};
  Job again;
  apply_settings(again, read_file(resolved_text(job)));
  EXPECT_EQ(again.optimizer.learning_rate, 0.1 + 0.2);
  EXPECT_EQ(again.train.seed, 18446744073709551615ULL);
  EXPECT_EQ(again.schedule.milestones, (std::vector<double>{1.5, 1.0 / 3, 40}));
}

TEST(Job, FlagsComeInBothSpellingsAndAsShorthands) {
  const CommandLine line =
      parse_command_line({"--job", "a.ini", "--run=out", "--train.epochs=2.5",
                          "--optimizer.whitening_bias_epochs", "-1", "--data", "x.h5", "--device=reference"});
  EXPECT_EQ(line.job_file, "a.ini");
  EXPECT_EQ(line.run, "out");
  EXPECT_FALSE(line.help);
  Job job;
  job.optimizer.whitening_bias_epochs = 3;
  apply_settings(job, line.settings);
  EXPECT_EQ(job.train.epochs, 2.5);
  EXPECT_EQ(job.optimizer.whitening_bias_epochs, -1);
  EXPECT_EQ(job.data.file, "x.h5");
  EXPECT_EQ(job.parallel.device, "reference");
}

TEST(Job, LaterSettingsWin) {
  Job job;
  apply_settings(job, read_file("[train]\nepochs = 7\nbatch = 64\n"));
  apply_settings(job, parse_command_line({"--train.epochs=3"}).settings);
  EXPECT_EQ(job.train.epochs, 3);
  EXPECT_EQ(job.train.batch, 64);
}

TEST(Job, ATypoInAFileNamesLineAndNearestKey) {
  const std::string message =
      message_for_file("# a comment\n[network]\nname = petal\n\n[train]\nepochs = 2\nlabel_smothing = 0.1\n");
  EXPECT_TRUE(mentions(message, "my.ini line 7")) << message;
  EXPECT_TRUE(mentions(message, "'train.label_smothing'")) << message;
  EXPECT_TRUE(mentions(message, "did you mean 'train.label_smoothing'?")) << message;
}

TEST(Job, AKeyInTheWrongSectionIsUnknown) {
  const std::string message = message_for_file("[optimizer]\nepochs = 2\n");
  EXPECT_TRUE(mentions(message, "my.ini line 2: there is no key 'optimizer.epochs'")) << message;
}

TEST(Job, ATypoOnTheCommandLineNamesTheNearestFlag) {
  const std::string message = message_for_flags({"--train.epoch=2"});
  EXPECT_TRUE(mentions(message, "there is no flag '--train.epoch=2'; did you mean '--train.epochs'?"))
      << message;
  EXPECT_FALSE(mentions(message_for_flags({"--zzzzzzzz"}), "did you mean")) << message;
}

TEST(Job, WhatIsNoFlagIsRefused) {
  EXPECT_TRUE(mentions(message_for_flags({"cifar.h5"}), "unexpected argument 'cifar.h5'"))
      << message_for_flags({"cifar.h5"});
  EXPECT_TRUE(mentions(message_for_flags({"--train.epochs"}), "--train.epochs"))
      << message_for_flags({"--train.epochs"});
}

TEST(Job, WrongValuesAreRefusedWithTheirOrigin) {
  EXPECT_EQ(message_for_file("[train]\n\nepochs = many\n"),
            "my.ini line 3: train.epochs = 'many', but it must be a number");
  EXPECT_EQ(message_for_flags({"--train.batch=2.5"}),
            "the command line: train.batch = '2.5', but it must be a whole number");
  EXPECT_EQ(message_for_flags({"--train.seed=-1"}),
            "the command line: train.seed = '-1', but it must be a whole number, 0 or more");
  EXPECT_EQ(message_for_flags({"--augment.random_resized_crop=yes"}),
            "the command line: augment.random_resized_crop = 'yes', but it must be true or false");
  EXPECT_EQ(message_for_flags({"--schedule.kind=cosin"}),
            "the command line: schedule.kind = 'cosin', but it must be one of constant, step, linear, "
            "cosine, triangle");
  EXPECT_TRUE(mentions(message_for_flags({"--schedule.milestones=1,x"}), "numbers with commas between"));
}

TEST(Job, AKeyGivenTwiceInAFileIsRefused) {
  EXPECT_TRUE(
      mentions(message_for_file("[train]\nepochs = 2\nepochs = 3\n"), "'train.epochs' is given twice"));
}

TEST(Job, ALineThatIsNoSettingIsRefused) {
  EXPECT_TRUE(mentions(message_for_file("[train]\nepochs 2\n"), "epochs 2"))
      << message_for_file("[train]\nepochs 2\n");
}

TEST(Job, AnAbsentBackendNamesThoseThatAreThere) {
  Job job;
  job.data.file = "x.h5";
  job.parallel.device = "abacus";
  const std::string message = thrown_message<UsageError>([&] { check(job); });
  EXPECT_TRUE(mentions(message, "no abacus backend")) << message;
  EXPECT_TRUE(mentions(message, "reference")) << message;
}

TEST(Job, ImpossibleNumbersAreRefused) {
  Job good;
  good.data.file = "x.h5";
  EXPECT_NO_THROW(check(good));
  for (const char* flag : {"--train.epochs=0", "--train.epochs=-1", "--train.batch=0", "--train.shard=0",
                           "--train.label_smoothing=1", "--parallel.threads=-1", "--parallel.bucket_bytes=0",
                           "--parallel.chunk_bytes=3", "--parallel.chunk_bytes=2147483648",
                           "--parallel.watchdog=-1", "--parallel.watchdog=0.1", "--parallel.watchdog=1.9"}) {
    Job job = good;
    apply_settings(job, parse_command_line({flag}).settings);
    EXPECT_THROW(check(job), UsageError) << flag;
  }
  for (const double limit : {0.0, 2.0}) {
    good.parallel.watchdog = limit;
    EXPECT_NO_THROW(check(good)) << "watchdog " << limit;
  }
}

TEST(Job, HelpDescribesEveryKey) {
  for (const JobKey& key : job_keys()) {
    EXPECT_TRUE(mentions(help_text(), "--" + key.name + "=")) << key.name;
    EXPECT_FALSE(key.description.empty()) << key.name;
  }
  EXPECT_TRUE(parse_command_line({"--help"}).help);
}

TEST(Job, DiffersOnlyInWhatDecidesTheWeights) {
  const Job here;
  Job there = here;
  there.data.file = "elsewhere.h5";
  there.parallel.all_reduce = "mpi";
  there.checkpoint.keep = 7;
  there.evaluate.tta = "mirror";
  EXPECT_EQ(difference(there, here), "");
  there.optimizer.momentum = 0.5;
  there.train.batch = 32;
  EXPECT_EQ(difference(there, here), "train.batch = 32 there, 500 here");
}

}  // namespace
}  // namespace whorl::train
