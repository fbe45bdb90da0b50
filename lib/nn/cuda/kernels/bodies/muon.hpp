// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <math.h>

#include "nn/cuda/kernels/bodies/channels.hpp"
#include "nn/cuda/kernels/bodies/weights.hpp"

// for each matrix W with gradient G (Jordan, "Muon", 2024, as in airbench94):
//   direction:  buffer = momentum * buffer + G;  D = G + momentum * buffer;  sums of D^2 and W^2
//               bytes: 20 a weight; FLOPs: 9
//   normalise:  X = D / (||D|| + 1e-7)                        bytes: 6 a weight, with 16-bit X; FLOPs: 1
//   (then Newton-Schulz makes O of X: matrix products, and between them)
//   polynomial: P = a I + b A + c A A                        bytes: 6 an element, with 16-bit A; FLOPs: 4
//   apply:      W = W * sqrt(rows) / ||W|| - rate * O         bytes: 10 a weight; FLOPs: 3
// `muon_blocks` blocks share a matrix; each of them adds its partial sums anew, always in the same order.
namespace whorl::nn::cuda {

/// A block's part of one matrix: packs of 8 floats, from `first` on, each `step`-th.
struct MuonShare {
  static constexpr int threads = 256;
  int number;  ///< of the matrix
  MuonMatrix matrix;
  std::int64_t first, step, end;  ///< indices into the arena

  WHORL_DEVICE MuonShare(const Block& block, int thread, const In<MuonMatrix>& matrices)
      : number(block.index() / muon_blocks), matrix(matrices.at(number)) {
    first = matrix.offset + (std::int64_t{block.index() % muon_blocks} * threads + thread) * 8;
    step = std::int64_t{muon_blocks} * threads * 8;
    end = matrix.offset + std::int64_t{matrix.rows} * matrix.columns;
  }
};

struct MuonDirectionKernel {
  static constexpr int threads = MuonShare::threads;
  struct Shared {
    Array<float, threads> direction, weights;
  };
  In<MuonMatrix> matrices;
  In<float> parameters, gradients;
  InOut<float> buffer;
  Out<float> direction, partials;
  RuleViews table;
  int rule;

  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    block.phase([&](int thread) {
      const MuonShare share(block, thread, matrices);
      const UpdateRule with = table[rule];
      float direction_squares = 0, weight_squares = 0;
      for (std::int64_t i = share.first; i < share.end; i += share.step) {
        const Pack weights = parameters.pack(i), gradient = gradients.pack(i);
        Pack moving = buffer.pack(i), ahead;
        for (int k = 0; k < 8; ++k) {
          const float g = with.gradient_scale * gradient[k];
          moving[k] = with.momentum * moving[k] + g;
          ahead[k] = g + with.momentum * moving[k];
          direction_squares += ahead[k] * ahead[k];
          weight_squares += weights[k] * weights[k];
        }
        buffer.set(i, moving);
        direction.set(i, ahead);
      }
      shared.direction[thread] = direction_squares;
      shared.weights[thread] = weight_squares;
    });
    add_by_tree(block, shared.direction, 1);
    add_by_tree(block, shared.weights, 1);
    block.phase([&](int thread) {
      if (thread > 0) return;
      partials.set(std::int64_t{block.index()} * 2, shared.direction[0]);
      partials.set(std::int64_t{block.index()} * 2 + 1, shared.weights[0]);
    });
  }
};

/// The norm of a block's matrix: of its direction (which = 0) or its weights (1), at sums[0] after the call.
struct MuonNormShared {
  Array<double, muon_blocks> sums;
};
WHORL_DEVICE void find_norm(Block& block, MuonNormShared& shared, const In<float>& partials, int which) {
  const int number = block.index() / muon_blocks;
  block.phase([&](int thread) {
    if (thread < muon_blocks)
      shared.sums[thread] =
          static_cast<double>(partials[(std::int64_t{number} * muon_blocks + thread) * 2 + which]);
  });
  add_by_tree(block, shared.sums, 1);
  block.phase([&](int thread) {
    if (thread == 0) shared.sums[0] = sqrt(shared.sums[0]);
  });
}

template <typename T>
struct MuonNormaliseKernel {
  static constexpr int threads = MuonShare::threads;
  using Shared = MuonNormShared;
  In<MuonMatrix> matrices;
  In<float> direction, partials;
  Out<T> normalised;

  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    find_norm(block, shared, partials, 0);
    block.phase([&](int thread) {
      const MuonShare share(block, thread, matrices);
      const float factor = static_cast<float>(1 / (shared.sums[0] + 1e-7));
      for (std::int64_t i = share.first; i < share.end; i += share.step) {
        Pack values = direction.pack(i);
        for (int k = 0; k < 8; ++k) values[k] *= factor;
        normalised.set(i, values);
      }
    });
  }
};

template <typename T>
struct MuonPolynomialKernel {
  static constexpr int threads = 256;
  using Shared = Nothing;
  int side;
  std::int64_t elements;  ///< of all matrices
  float a, b, c;
  In<T> gram, square;
  Out<T> polynomial;

  WHORL_DEVICE void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      const std::int64_t i = global_thread<MuonPolynomialKernel>(block, thread);
      if (i >= elements) return;
      const int in_matrix = static_cast<int>(i % (std::int64_t{side} * side));
      const float diagonal = in_matrix / side == in_matrix % side ? a : 0.0F;
      polynomial.set(i, diagonal + b * gram[i] + c * square[i]);
    });
  }
};

template <typename T>
struct MuonApplyKernel {
  static constexpr int threads = MuonShare::threads;
  using Shared = MuonNormShared;
  In<MuonMatrix> matrices;
  InOut<float> parameters;
  In<float> partials;
  In<T> orthogonal;
  RuleViews table;
  int rule;

  WHORL_DEVICE void operator()(Block& block, Shared& shared) {
    find_norm(block, shared, partials, 1);
    block.phase([&](int thread) {
      const MuonShare share(block, thread, matrices);
      const float rate = table[rule].rate;
      const float keep = static_cast<float>(sqrt(static_cast<double>(share.matrix.rows)) / shared.sums[0]);
      for (std::int64_t i = share.first; i < share.end; i += share.step) {
        const Pack update = orthogonal.pack(i);
        Pack weights = parameters.pack(i);
        for (int k = 0; k < 8; ++k) weights[k] = keep * weights[k] - rate * update[k];
        parameters.set(i, weights);
      }
    });
  }
};

}  // namespace whorl::nn::cuda
