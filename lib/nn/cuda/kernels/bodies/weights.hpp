// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/bodies/target.hpp"
#include "nn/cuda/kernels/weights.hpp"

// for each float i of the arena, by the rule of its tensor:
//   g = gradient_scale * gradient[i] + coupled_decay * p[i];  buffer[i] = momentum * buffer[i] + g
//   p[i] = keep * p[i] - rate * (g + momentum * buffer[i])       bytes: 20 for each float; FLOPs: 10
// Nesterov as in PyTorch (Sutskever et al. 2013). One thread changes 8 floats.
namespace whorl::nn::cuda {

/// A RuleTable as kernels see it.
struct RuleViews {
  In<UpdateRule> rules;
  int count;
  In<std::int64_t> step;
  WHORL_DEVICE UpdateRule operator[](int rule) const { return rules.at(step.at(0) * count + rule); }
};

struct UpdateArenaKernel {
  static constexpr int threads = 256;
  using Shared = Nothing;
  std::int64_t floats;
  InOut<float> parameters;
  In<float> gradients;
  InOut<float> buffer;
  In<std::uint8_t> rule_of_group;
  RuleViews table;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const std::int64_t i = global_thread<UpdateArenaKernel>(block, thread) * 8;
      if (i >= floats || rule_of_group.at(i / 16) == no_rule) return;
      const UpdateRule rule = table[rule_of_group.at(i / 16)];
      const Pack gradient = gradients.pack(i);
      Pack p = parameters.pack(i), moving = buffer.pack(i);
      for (int k = 0; k < 8; ++k) {
        const float g = rule.gradient_scale * gradient[k] + rule.coupled_decay * p[k];
        moving[k] = rule.momentum * moving[k] + g;
        p[k] = rule.keep * p[k] - rule.rate * (g + rule.momentum * moving[k]);
      }
      buffer.set(i, moving);
      parameters.set(i, p);
    });
  }
};

// with w = weights[step], where it is not 0:  slow[i] += w * (p[i] - slow[i]);  p[i] = slow[i]
// Bytes: 16 for each float; FLOPs: 3. (Zhang et al., "Lookahead optimizer: k steps forward, 1 step back",
// 2019.)
struct LookAheadKernel {
  static constexpr int threads = 256;
  using Shared = Nothing;
  std::int64_t floats;
  InOut<float> parameters, slow;
  In<float> weights;
  In<std::int64_t> step;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const std::int64_t i = global_thread<LookAheadKernel>(block, thread) * 8;
      if (i >= floats) return;
      const float weight = weights[step.at(0)];
      if (weight == 0) return;
      const Pack fast = parameters.pack(i);
      Pack behind = slow.pack(i);
      for (int k = 0; k < 8; ++k) behind[k] = (1 - weight) * behind[k] + weight * fast[k];
      slow.set(i, behind);
      parameters.set(i, behind);
    });
  }
};

struct AdvanceKernel {
  static constexpr int threads = 32;
  using Shared = Nothing;
  InOut<std::int64_t> step, batch_number;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      if (thread == 0 && step) step.put(0, step.at(0) + 1);
      if (thread == 1 && batch_number) batch_number.put(0, batch_number.at(0) + 1);
    });
  }
};

// sums[i] = (add ? sums[i] : 0) + gradients[i]        Bytes: 12 or 8 for each float; FLOPs: 1 or none.
struct SumGradientsKernel {
  static constexpr int threads = 256;
  using Shared = Nothing;
  std::int64_t floats;
  In<float> gradients;
  bool add;
  InOut<float> sums;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const std::int64_t i = global_thread<SumGradientsKernel>(block, thread) * 8;
      if (i >= floats) return;
      Pack sum = gradients.pack(i);
      if (add) {
        const Pack before = sums.pack(i);
        for (int k = 0; k < 8; ++k) sum[k] += before[k];
      }
      sums.set(i, sum);
    });
  }
};

// filters[f, y, x, c] = parameters[f, c, y, x], 0 for f and c that are not there; and back.
// Bytes: 4 read and 2 or 4 written for each weight, or the other way round.
template <typename T>
struct FiltersFromArenaKernel {
  static constexpr int threads = 256;
  using Shared = Nothing;
  FilterShape shape;
  In<float> parameters;
  Out<T> filters;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const std::int64_t i = global_thread<FiltersFromArenaKernel>(block, thread);
      const int area = shape.height * shape.width;
      if (i >= std::int64_t{shape.padded_filters} * area * shape.padded_channels) return;
      const int channel = static_cast<int>(i % shape.padded_channels);
      const std::int64_t filter_and_cell = i / shape.padded_channels;
      const int cell = static_cast<int>(filter_and_cell % area);
      const std::int64_t filter = filter_and_cell / area;
      const bool is_there = filter < shape.filters && channel < shape.channels;
      filters.set(i, is_there ? parameters[(filter * shape.channels + channel) * area + cell] : 0.0F);
    });
  }
};

template <typename T>
struct FilterGradientToArenaKernel {
  static constexpr int threads = 256;
  using Shared = Nothing;
  FilterShape shape;
  In<T> filter_gradient;
  Out<float> gradient;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const std::int64_t i = global_thread<FilterGradientToArenaKernel>(block, thread);
      const int area = shape.height * shape.width;
      if (i >= std::int64_t{shape.filters} * shape.channels * area) return;
      const int cell = static_cast<int>(i % area);
      const int channel = static_cast<int>(i / area % shape.channels);
      const std::int64_t filter = i / area / shape.channels;
      gradient.set(i, filter_gradient[(filter * area + cell) * shape.padded_channels + channel]);
    });
  }
};

}  // namespace whorl::nn::cuda
