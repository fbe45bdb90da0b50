// SPDX-License-Identifier: BSD-3-Clause
#include <variant>

#include "nn/cpu/pointwise.hpp"
#include "nn/cpu/pool.hpp"
#include "nn/cpu/step.hpp"

namespace whorl::nn::cpu {

namespace {

class AveragePoolStep : public Step {
 public:
  AveragePoolStep(const Network& network, const Group& group, const GroupBuffers& buffers)
      : buffers_(buffers),
        geometry_(pool_geometry(std::get<Pool>(network.layers[group.layer].operation),
                                buffers.input_shape.sample, buffers.output_shape.sample,
                                buffers.input_shape.block)) {}

  void set_parameters(const float*) override {}

  void forward(bool) override {
    for_each_plane(buffers_.output_shape.planes(), [&](int plane) {
      average_pool_plane(geometry_, buffers_.input + plane * buffers_.input_shape.plane_floats(),
                         buffers_.output + plane * buffers_.output_shape.plane_floats());
    });
  }

  void backward(float*) override {
    if (buffers_.input_gradient == nullptr) return;
    for_each_plane(buffers_.output_shape.planes(), [&](int plane) {
      const Plane input = plane_of(buffers_.input_shape, buffers_.input_gradient, plane);
      if (!buffers_.add_to_input_gradient) clear_plane(extent_of(buffers_.input_shape), input);
      average_unpool_plane(geometry_, buffers_.output_gradient + plane * buffers_.output_shape.plane_floats(),
                           input.data);
    });
  }

 private:
  GroupBuffers buffers_;
  PoolGeometry geometry_;
};

}  // namespace

std::unique_ptr<Step> make_average_pool_step(const Network& network, const Group& group,
                                             const GroupBuffers& buffers) {
  return std::make_unique<AveragePoolStep>(network, group, buffers);
}

}  // namespace whorl::nn::cpu
