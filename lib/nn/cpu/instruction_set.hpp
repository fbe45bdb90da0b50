// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

namespace whorl::nn::cpu {

/// Our kernels are compiled for several instruction sets; the best that the machine has is used. "AVX3"
/// (AVX-512), "AVX2", "SCALAR"; on other processors what Highway calls theirs.
std::vector<std::string> available_instruction_sets();
std::string instruction_set();

/// From here on kernels run on the named one, or on what is chosen by itself if it is empty. For tests; no
/// other thread may run kernels.
void use_instruction_set(const std::string& name);

/// From here on only one whose vectors have at most `most` floats (8 or 16): those of a block, which is as
/// wide as oneDNN's vectors. So oneDNN's own limit, ONEDNN_MAX_CPU_ISA=AVX2, is ours as well.
void limit_lanes(int most);

}  // namespace whorl::nn::cpu
