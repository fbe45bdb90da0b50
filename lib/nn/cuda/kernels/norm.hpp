// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "nn/cuda/kernels/types.hpp"

/// Batch-norm, bias, activation and residual sum, forward and backward. The order of a training step:
/// norm_sums (or max_pool_forward, which sums as it pools), norm_finish, norm_apply; then norm_backward_sums,
/// norm_backward_finish, norm_backward_apply.
namespace whorl::nn::cuda {

/// Partial sums over positions: row 0 holds the origin of each channel, the rows after it the sums of one
/// block each: a first sum for each channel, then a second for each.
struct Partials {
  float* rows = nullptr;  ///< (1 + blocks, 2 channels)
  int blocks = 0;
};
inline constexpr int most_sum_blocks = 528;
/// How many blocks sum over `extent`; what norm_sums, max_pool_forward and norm_backward_sums are given and
/// fill.
int sum_blocks(const Extent& extent);
/// Room for the partial sums of any maps of so many channels.
constexpr std::size_t partials_floats(int channels) {
  return std::size_t{1 + most_sum_blocks} * 2 * channels;
}

/// Sums of x - origin and (x - origin)^2 for each channel; the origin is the channel's first value in x, near
/// enough to the mean to keep the digits of the variance.
void norm_sums(Storage storage, const Extent& extent, const void* x, const Partials& partials, Stream stream);

/// From sums to statistics: mean, inverse = 1 / sqrt(biased variance + epsilon), factor = scale * inverse.
/// Also takes sums that cuDNN made: one block, origins 0.
struct NormFinish {
  Partials sums{};
  int channels = 0;
  std::int64_t positions = 0;
  float epsilon = 0;
  const float* scale = nullptr;                                  ///< (channels), null: 1
  float *mean = nullptr, *inverse = nullptr, *factor = nullptr;  ///< out, (channels) each
  /// Out, (channels) each, null: left out. The unbiased variance of a single value is 0.
  float *running_mean = nullptr, *running_variance = nullptr;
};
void norm_finish(const NormFinish& finish, Stream stream);

/// factor = scale / sqrt(variance + epsilon), (channels): for running statistics. A null scale is 1.
void norm_running_factor(int channels, const float* variance, float epsilon, const float* scale,
                         float* factor, Stream stream);

/// y = curve(affine(x) + residual).
struct NormApply {
  Extent extent;
  const void* x = nullptr;
  Affine affine{};
  const void* residual = nullptr;  ///< may be null
  Curve curve = Curve::identity;
  void* y = nullptr;  ///< out; may be x or the residual
};
void norm_apply(Storage storage, const NormApply& task, Stream stream);

/// Through the curve: g = dy * curve'(affine(x) + residual), and the sums of g and of g * (x - mean) for each
/// channel.
struct NormBackwardSums {
  Extent extent;
  const void* dy = nullptr;
  const void* x = nullptr;
  Affine affine{};
  const void* residual = nullptr;  ///< may be null
  Curve curve = Curve::identity;
  void* g = nullptr;   ///< out, null: not stored; may be dy. It is the residual's gradient, too.
  bool add_g = false;  ///< adds to what is in g instead (then it is not for norm_backward_apply)
  Partials sums{};     ///< out, origins unused
};
void norm_backward_sums(Storage storage, const NormBackwardSums& task, Stream stream);

/// From sums to the parameters' gradients, sum(g) and sum(g (x - mean)) * inverse, and to what
/// norm_backward_apply needs. Without a norm only shift_gradient is asked for: a bias.
struct NormBackwardFinish {
  Partials sums{};
  int channels = 0;
  std::int64_t positions = 0;
  const float *inverse = nullptr, *factor = nullptr;           ///< of norm_finish
  float *shift_gradient = nullptr, *scale_gradient = nullptr;  ///< out, (channels) each, null: left out
  float *slope = nullptr, *offset = nullptr;                   ///< out, (channels) each, null: left out
};
void norm_backward_finish(const NormBackwardFinish& finish, Stream stream);

/// Maps (samples, height, width, channels) that max_pool_forward pooled in windows that do not overlap:
/// stride = window, padding 0.
struct Unpooling {
  const std::uint8_t* argmax = nullptr;  ///< null: no pooling
  int height = 0, width = 0, window = 0;
};

/// dx = factor * g + slope * (x - mean) + offset with g = dy * curve'(affine(x) + residual), recomputed; a g
/// stored by norm_backward_sums may be given as dy instead, with Curve::identity.
struct NormBackwardApply {
  Extent extent;
  const void* dy = nullptr;
  const void* x = nullptr;
  Affine affine{};
  const void* residual = nullptr;  ///< may be null
  Curve curve = Curve::identity;
  const float *slope = nullptr, *offset = nullptr;  ///< null: 0 (no norm)
  void* dx = nullptr;                               ///< out; may be dy where there is no pooling
  bool add_dx = false;                              ///< adds to what is in dx instead
  /// argmax set: `extent` is that of the pooled maps, and dx gets the gradient at the winner of each window
  /// and 0 everywhere else.
  Unpooling unpool{};
};
void norm_backward_apply(Storage storage, const NormBackwardApply& task, Stream stream);

}  // namespace whorl::nn::cuda
