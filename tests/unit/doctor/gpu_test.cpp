// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/gpu.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "layouts.hpp"
#include "support/temporary_folder.hpp"

namespace whorl::doctor {
namespace {

/// Four ranks on two nodes of two GPUs, all well.
std::vector<GpuFacts> healthy_gpus() {
  std::vector<GpuFacts> gpus;
  for (const char* bus_id : {"01", "02", "01", "02"})
    gpus.push_back(
        {.on_node = 2,
         .usable = 2,
         .name = "G100",
         .bus_id = bus_id,
         .failure = {},
         .health = {
             .free_bytes = 79e9, .total_bytes = 80e9, .to_gpu = 20e9, .from_gpu = 22e9, .intact = true}});
  return gpus;
}

std::vector<Finding> judge(const std::vector<GpuFacts>& gpus) {
  return judge_gpus(two_nodes, true, gpus);
}

TEST(Gpus, AreCountedByTheirDeviceFiles) {
  const test::TemporaryFolder root;
  EXPECT_EQ(count_gpus(root.path()), 0);
  std::filesystem::create_directory(root / "dev");
  std::ofstream(root / "dev/nvidia0");
  std::ofstream(root / "dev/nvidia1");
  EXPECT_EQ(count_gpus(root.path()), 2);
}

TEST(Gpus, ABuildWithoutCudaTellsOfIdleOnes) {
  std::vector<GpuFacts> gpus(3);
  EXPECT_EQ(judge_gpus(three_nodes, false, gpus).at(0).level, Level::ok);
  EXPECT_EQ(judge_gpus(three_nodes, true, gpus).at(0).text, "no node has any");
  gpus[1].on_node = 2;
  const Finding finding = judge_gpus(three_nodes, false, gpus).at(0);
  EXPECT_EQ(finding.level, Level::warn);
  EXPECT_EQ(finding.text, "not in this build: b has 2 that stay idle");
}

TEST(Gpus, TheSlowestOfHealthyOnesIsTold) {
  std::vector<GpuFacts> gpus = healthy_gpus();
  gpus[2].health.from_gpu = 15e9;
  const std::vector<Finding> findings = judge(gpus);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].level, Level::ok);
  EXPECT_EQ(findings[0].text,
            "G100 of rank 2 (b), the slowest: 79.0 GB of 80.0 GB free, 20.0 GB/s to it, 15.0 GB/s from it");
}

TEST(Gpus, WhatIsWrongIsNamedWithItsRank) {
  const auto finding_of = [](auto&& change) {
    std::vector<GpuFacts> gpus = healthy_gpus();
    change(gpus);
    const std::vector<Finding> findings = judge(gpus);
    EXPECT_EQ(findings.size(), 1U);
    EXPECT_FALSE(findings[0].remedy.empty());
    return findings[0];
  };
  const Finding unusable = finding_of([](auto& gpus) { gpus[2].usable = gpus[3].usable = 0; });
  EXPECT_EQ(unusable.level, Level::fail);
  EXPECT_EQ(unusable.text, "rank 2 (b): CUDA can use none of 2 GPUs");
  const Finding failed = finding_of([](auto& gpus) { gpus[1].failure = "cudaMemcpy failed"; });
  EXPECT_EQ(failed.level, Level::fail);
  EXPECT_EQ(failed.text, "G100 of rank 1 (a): cudaMemcpy failed");
  const Finding damaged = finding_of([](auto& gpus) { gpus[3].health.intact = false; });
  EXPECT_EQ(damaged.level, Level::fail);
  EXPECT_EQ(damaged.text, "G100 of rank 3 (b): what is copied to it and back is damaged");
  const Finding shared = finding_of([](auto& gpus) { gpus[3].bus_id = "01"; });
  EXPECT_EQ(shared.level, Level::warn);
  const Finding full = finding_of([](auto& gpus) { gpus[1].health.free_bytes = 8e9; });
  EXPECT_EQ(full.level, Level::warn);
  EXPECT_EQ(full.text, "G100 of rank 1 (a): 8.0 GB of 80.0 GB free");
  const Finding slow = finding_of([](auto& gpus) { gpus[2].health.to_gpu = 9e9; });
  EXPECT_EQ(slow.level, Level::warn);
  EXPECT_NE(slow.text.find("9.0 GB/s to it"), std::string::npos) << slow.text;
}

}  // namespace
}  // namespace whorl::doctor
