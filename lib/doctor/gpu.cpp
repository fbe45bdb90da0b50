// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/gpu.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace whorl::doctor {

int count_gpus(const std::filesystem::path& root) {
  int gpus = 0;
  while (std::filesystem::exists(root / fmt::format("dev/nvidia{}", gpus))) ++gpus;
  return gpus;
}

std::vector<Finding> judge_gpus(const Layout& layout, const std::vector<int>& gpus) {
  const auto most = std::ranges::max_element(gpus);
  if (*most == 0) return {{Level::ok, "not in this build, and no node has any: GPU, NCCL", ""}};
  return {{Level::warn,
           fmt::format("not in this build: {} has {} that stay idle",
                       layout.host_of(static_cast<int>(most - gpus.begin())), *most),
           "ask for nodes without GPUs"}};
}

Check check_gpus(const mpi::Communicator& comm, const Layout& layout) {
  const std::vector<int> gpus = comm.all_gather(count_gpus());
  return {.name = "GPU",
          .findings = judge_gpus(layout, gpus),
          .figures = {{"in_build", false}, {"by_rank", gpus}}};
}

}  // namespace whorl::doctor
