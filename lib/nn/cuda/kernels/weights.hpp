// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/types.hpp"

/// What happens to parameter arenas, which are float32 and laid out by ParameterLayout on the GPU too.
/// Whatever changes from step to step is a table in GPU memory with one row for each step, made by the host
/// beforehand, so a captured graph needs no new arguments.
namespace whorl::nn::cuda {

/// The coefficients of one rule in one step (train/optimizer.cpp has the same):
/// g = gradient_scale * gradient + coupled_decay * p, buffer = momentum * buffer + g,
/// p = keep * p - rate * (g + momentum * buffer).
/// A running statistic follows it too: momentum 0, keep 1 - m, rate -1, gradient_scale m / shards.
struct UpdateRule {
  float gradient_scale = 1, coupled_decay = 0, keep = 1, momentum = 0, rate = 0;
};
inline constexpr std::uint8_t no_rule = 255;  ///< the tensor is left alone here

/// rules[*step * count + rule].
struct RuleTable {
  const UpdateRule* rules = nullptr;
  int count = 0;
  const std::int64_t* step = nullptr;
};

/// All parameters in one launch. Tensors start at multiples of 16 floats, so a byte for each 16 floats tells
/// their rule.
struct ArenaUpdate {
  std::int64_t floats = 0;  ///< of each arena, a multiple of 16
  float* parameters = nullptr;
  const float* gradients = nullptr;
  float* buffer = nullptr;                      ///< momentum
  const std::uint8_t* rule_of_group = nullptr;  ///< (floats / 16)
  RuleTable table;
};
void update_arena(const ArenaUpdate& update, Stream stream);

/// One matrix of the arena that Muon trains, (rows, columns).
struct MuonMatrix {
  std::int64_t offset = 0;  ///< floats from the arena's start
  std::int32_t rows = 0, columns = 0;
};
/// What surrounds Newton-Schulz. Matrices in GPU memory, all of them in one launch; results lie at the
/// matrix's own offset in arrays as long as the arena.
struct Muon {
  const MuonMatrix* matrices = nullptr;  ///< in GPU memory
  int count = 0;
  float* parameters = nullptr;
  const float* gradients = nullptr;
  float* buffer = nullptr;     ///< momentum
  float* direction = nullptr;  ///< scratch, an arena
  float* partials = nullptr;   ///< scratch, muon_partials_floats(count)
  RuleTable table;
  int rule = 0;  ///< of the table: gradient_scale, momentum, rate
};
inline constexpr int muon_blocks = 32;  ///< of each matrix
constexpr std::size_t muon_partials_floats(int matrices) {
  return std::size_t{2} * muon_blocks * matrices;
}
/// 1. buffer = momentum * buffer + g; direction = g + momentum * buffer; partial sums of direction^2 and
/// parameters^2.
void muon_direction(const Muon& muon, Stream stream);
/// 2. normalised = direction / (||direction|| + 1e-7), in the storage type: what Newton-Schulz starts from.
void muon_normalise(Storage storage, const Muon& muon, void* normalised, Stream stream);
/// Within Newton-Schulz, for `count` square matrices that lie one behind the other: polynomial = a I + b gram
/// + c square, in the storage type; `square` is the product of `gram` with itself.
struct MuonPolynomial {
  int side = 0, count = 0;
  float a = 3.4445F, b = -4.7750F, c = 2.0315F;  // Jordan's quintic, as in train/muon.cpp
  const void *gram = nullptr, *square = nullptr;
  void* polynomial = nullptr;  ///< out
};
void muon_polynomial(Storage storage, const MuonPolynomial& task, Stream stream);
/// 3. parameters = parameters * sqrt(rows) / ||parameters|| - rate * orthogonal.
void muon_apply(Storage storage, const Muon& muon, const void* orthogonal, Stream stream);

/// Lookahead: with w = weights[*step], slow += w (parameters - slow), parameters = slow; nothing where w is
/// 0.
void look_ahead(std::int64_t floats, float* parameters, float* slow, const float* weights,
                const std::int64_t* step, Stream stream);

/// ++*step, ++*batch_number, either of which may be null: the end of a step, or of a batch.
void advance(std::int64_t* step, std::int64_t* batch_number, Stream stream);

/// sums += gradients (`add`), or = gradients: those of several batches of one step. `floats`: a multiple of
/// 8.
void sum_gradients(std::int64_t floats, const float* gradients, bool add, float* sums, Stream stream);

/// A convolution's weights: (filters, channels, height, width) in the arena; for cuDNN (padded_filters,
/// height, width, padded_channels) in the storage type, with zeros where the arena has nothing. A linear
/// layer is a convolution over its whole input.
struct FilterShape {
  int filters = 0, channels = 0, height = 1, width = 1;
  int padded_filters = 0, padded_channels = 0;
};
void filters_from_arena(Storage storage, const FilterShape& shape, const float* parameters, void* filters,
                        Stream stream);
void filter_gradient_to_arena(Storage storage, const FilterShape& shape, const void* filter_gradient,
                              float* gradient, Stream stream);

}  // namespace whorl::nn::cuda
