// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/bodies/weights.hpp"

#include "nn/cuda/kernels/views.hpp"

namespace whorl::nn::cuda {

void update_arena(const ArenaUpdate& update, Stream stream) {
  const UpdateArenaKernel kernel{.floats = update.floats,
                                 .parameters = in_out<float>(update.parameters),
                                 .gradients = {update.gradients},
                                 .buffer = in_out<float>(update.buffer),
                                 .rule_of_group = {update.rule_of_group},
                                 .table = views(update.table)};
  launch_for_each("update_arena", kernel, update.floats / 8, stream);
}

void look_ahead(std::int64_t floats, float* parameters, float* slow, const float* weights,
                const std::int64_t* step, Stream stream) {
  launch_for_each("look_ahead",
                  LookAheadKernel{floats, in_out<float>(parameters), in_out<float>(slow), {weights}, {step}},
                  floats / 8, stream);
}

void advance(std::int64_t* step, std::int64_t* batch_number, Stream stream) {
  launch("advance", AdvanceKernel{in_out<std::int64_t>(step), in_out<std::int64_t>(batch_number)}, 1, stream);
}

void sum_gradients(std::int64_t floats, const float* gradients, bool add, float* sums, Stream stream) {
  launch_for_each("sum_gradients", SumGradientsKernel{floats, {gradients}, add, in_out<float>(sums)},
                  floats / 8, stream);
}

void filters_from_arena(Storage storage, const FilterShape& shape, const float* parameters, void* filters,
                        Stream stream) {
  const std::int64_t count =
      std::int64_t{shape.padded_filters} * shape.height * shape.width * shape.padded_channels;
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    launch_for_each("filters_from_arena", FiltersFromArenaKernel<T>{shape, {parameters}, out<T>(filters)},
                    count, stream);
  });
}

void filter_gradient_to_arena(Storage storage, const FilterShape& shape, const void* filter_gradient,
                              float* gradient, Stream stream) {
  const std::int64_t count = std::int64_t{shape.filters} * shape.channels * shape.height * shape.width;
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    launch_for_each("filter_gradient_to_arena",
                    FilterGradientToArenaKernel<T>{shape, in<T>(filter_gradient), {gradient}}, count, stream);
  });
}

}  // namespace whorl::nn::cuda
