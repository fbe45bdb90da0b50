// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "nn/cpu/instruction_set.hpp"

namespace whorl::nn::cpu {

/// An instruction set that this machine has, with a block of channels that oneDNN may ask for on such a
/// machine.
using Machine = std::tuple<std::string, int>;

inline std::vector<Machine> machines() {
  std::vector<Machine> machines;
  for (const std::string& name : available_instruction_sets())
    for (const int block : {8, 16})
      if (name != "AVX3" || block == 16) machines.emplace_back(name, block);
  return machines;
}

inline std::string name_of(const ::testing::TestParamInfo<Machine>& given) {
  return std::get<0>(given.param) + "_" + std::to_string(std::get<1>(given.param));
}

}  // namespace whorl::nn::cpu
