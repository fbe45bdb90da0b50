// SPDX-License-Identifier: BSD-3-Clause
#include "train_gpu/gpu_training.hpp"

const bool whorl::train::GpuTraining::are_emulated = false;
