// SPDX-License-Identifier: BSD-3-Clause
#include "scale/study.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/thrown_message.hpp"

namespace whorl::scale {
namespace {

Study study_of(const std::string& text) {
  Study study;
  apply_settings(study, parse_study_file("x.study", text));
  return study;
}

TEST(StudyFile, TheResolvedTextGivesTheSameStudyBack) {
  const Study study = study_of(
      "[study]\nworkloads = train, ingest, read-cold\nranks = 1,3\nthreads=2\nrepeats=4\nseed=8\n"
      "[train]\njob=a.ini\ndata=b.h5\nsteps=6\nbatches=10,20\nall_reduces=ring,mpi\n[read]\npictures=7\n["
      "ingest]\ninput=c."
      "tar\nsize=40\n");
  EXPECT_EQ(study.workloads, (std::vector<std::string>{"train", "ingest", "read-cold"}));
  EXPECT_EQ(study.ranks, (std::vector{1, 3}));
  EXPECT_EQ(study.batches, (std::vector<std::int64_t>{10, 20}));
  EXPECT_EQ(resolved_text(study_of(resolved_text(study))), resolved_text(study));
  EXPECT_NE(resolved_text(study), resolved_text(Study{}));
  check(study);
}

TEST(StudyFile, MistakesNameTheirPlace) {
  const auto message_of = [](const std::string& text) {
    return test::thrown_message<UsageError>([&] { check(study_of(text)); });
  };
  EXPECT_NE(message_of("[study]\nrepeat = 3\n").find("did you mean 'study.repeats'"), std::string::npos);
  EXPECT_NE(message_of("[study]\nrepeats = three\n").find("study.repeats = 'three'"), std::string::npos);
  EXPECT_NE(
      message_of("[study]\nworkloads = fly\n").find("there is only train, ingest, read-warm, read-cold"),
      std::string::npos);
  EXPECT_NE(message_of("[study]\nrepeats = 0\n").find("1 or more"), std::string::npos);
  EXPECT_NE(message_of("[train]\njob = a.ini\n").find("train.data"), std::string::npos);
  EXPECT_NE(message_of("[study]\nworkloads = read-warm\n").find("read-warm needs train.data"),
            std::string::npos);
  EXPECT_NE(message_of("[study]\nworkloads = ingest\n").find("ingest.input"), std::string::npos);
}

}  // namespace
}  // namespace whorl::scale
