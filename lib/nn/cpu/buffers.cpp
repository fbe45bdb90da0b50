// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/buffers.hpp"

#include <algorithm>
#include <variant>

namespace whorl::nn::cpu {

namespace {

constexpr int no_buffer = -1;

/// The pictures or a group's output, and its gradient.
struct Value {
  BlockedShape shape;
  std::size_t bytes = 0;
  int first_use = 0, last_use = 0;
  int first_gradient_use = -1, last_gradient_use = -1;  ///< negative: no gradient
  int gradient_writer = -1;                             ///< the group that is the first to write the gradient
  bool stored = true, gradient_stored = true;           ///< false: goes from group to group in planes
  int buffer = no_buffer, gradient_buffer = no_buffer;
};

struct PartBuffers {
  int pooled = no_buffer, winners = no_buffer, spare = no_buffer;
};

class Planner {
 public:
  Planner(const Network& network, const std::vector<Group>& groups, MemoryPlan& memory)
      : network_(network),
        groups_(groups),
        memory_(memory),
        loss_time_(static_cast<int>(groups.size())),
        values_(network.layers.size() + 1),
        parts_(groups.size()) {}

  ShardBuffers plan(int shard_size, int block, std::size_t picture_bytes) {
    value(network_input) = {.shape = {shard_size, network_.input, block}, .bytes = picture_bytes};
    for (int k = 0; k < loss_time_; ++k) declare_group(k, shard_size, block);
    Value& logits = value(groups_.back().output);
    logits.last_use = std::max(logits.last_use, loss_time_);
    logits.first_gradient_use = loss_time_;
    for (Value& v : values_) reserve_value(v);
    for (int k = 0; k < loss_time_; ++k) reserve_parts(k);
    memory_.allocate();
    return pointers();
  }

 private:
  Value& value(int layer) { return values_[layer + 1]; }
  int backward_time(int k) const { return 2 * loss_time_ - k; }

  /// The time of the group that computes group k's pooling and its gradient: its own, or that of the
  /// convolution before it.
  int pooling_group(int k) const { return groups_[k].producer == Group::none ? k : groups_[k].producer; }

  void declare_group(int k, int shard_size, int block) {
    const Group& group = groups_[k];
    Value& output = value(group.output);
    output.shape = {shard_size, shape_of(network_, group.output), block};
    output.bytes = output.shape.bytes();
    output.first_use = output.last_use = k;
    output.last_gradient_use = backward_time(pooling_group(k));
    output.stored = group.consumer == Group::none;
    const bool reads_input_again = group.kind == Group::Kind::convolution ||
                                   (group.kind == Group::Kind::pointwise && group.pool == Group::none);
    declare_read(group.input, reads_input_again ? backward_time(pooling_group(k)) : k,
                 group.input_needs_gradient, k);
    if (group.producer != Group::none) {
      value(group.input).stored = group.pool == Group::none;
      value(group.input).gradient_stored = false;
    }
    if (group.residual != Group::none)
      declare_read(group.residual, backward_time(k), group.residual_needs_gradient, k);
  }

  void declare_read(int layer, int last_use, bool needs_gradient, int k) {
    Value& read = value(layer);
    read.last_use = std::max(read.last_use, last_use);
    if (!needs_gradient) return;
    // Later groups run backward earlier, and come here later.
    const int consumer = groups_[k].consumer;
    read.first_gradient_use = backward_time(consumer == Group::none ? k : consumer);
    read.gradient_writer = k;
  }

  void reserve_value(Value& v) {
    if (v.bytes == 0) return;  // the output of a layer inside a group
    if (v.stored) v.buffer = memory_.reserve(v.bytes, v.first_use, v.last_use);
    if (v.first_gradient_use >= 0 && v.gradient_stored)
      v.gradient_buffer = memory_.reserve(v.bytes, v.first_gradient_use, v.last_gradient_use);
  }

  bool adds_to_input(int k) {
    const Group& group = groups_[k];
    return group.input_needs_gradient &&
           (value(group.input).gradient_writer != k || group.input == group.residual);
  }

  void reserve_parts(int k) {
    const Group& group = groups_[k];
    const bool only_pool = group.pool == group.output;
    if (group.pool != Group::none) {
      const std::size_t floats = value(group.output).shape.floats();
      const int first = pooling_group(k), last = backward_time(first);
      if (!only_pool) parts_[k].pooled = memory_.reserve(floats * sizeof(float), first, last);
      parts_[k].winners = memory_.reserve(floats * sizeof(std::uint16_t), first, last);
    }
    if (group.kind == Group::Kind::convolution && group.algorithm.is_direct() && adds_to_input(k))
      parts_[k].spare = memory_.reserve(value(group.input).bytes, backward_time(k), backward_time(k));
  }

  float* floats(int buffer) const { return buffer == no_buffer ? nullptr : memory_.floats(buffer); }

  ShardBuffers pointers() {
    ShardBuffers buffers;
    for (int k = 0; k < loss_time_; ++k) buffers.groups.push_back(group_pointers(k));
    const Value& logits = value(groups_.back().output);
    buffers.pictures = floats(value(network_input).buffer);
    buffers.logits_shape = logits.shape;
    buffers.logits = floats(logits.buffer);
    buffers.logits_gradient = floats(logits.gradient_buffer);
    return buffers;
  }

  GroupBuffers group_pointers(int k) {
    const Group& group = groups_[k];
    const Value& input = value(group.input);
    const Value& output = value(group.output);
    GroupBuffers buffers{.input_shape = input.shape, .output_shape = output.shape};
    buffers.input = floats(input.buffer);
    buffers.output = floats(output.buffer);
    buffers.pooled = group.pool == Group::none    ? buffers.input
                     : group.pool == group.output ? buffers.output
                                                  : floats(parts_[k].pooled);
    if (parts_[k].winners != no_buffer)
      buffers.winners = reinterpret_cast<std::uint16_t*>(memory_.at(parts_[k].winners));
    buffers.output_gradient = floats(output.gradient_buffer);
    if (group.input_needs_gradient) buffers.input_gradient = floats(input.gradient_buffer);
    buffers.add_to_input_gradient = adds_to_input(k);
    buffers.spare = floats(parts_[k].spare);
    if (group.residual != Group::none) buffers.residual = floats(value(group.residual).buffer);
    if (group.residual_needs_gradient) {
      buffers.residual_gradient = floats(value(group.residual).gradient_buffer);
      buffers.add_to_residual_gradient = value(group.residual).gradient_writer != k;
    }
    return buffers;
  }

  const Network& network_;
  const std::vector<Group>& groups_;
  MemoryPlan& memory_;
  int loss_time_;
  std::vector<Value> values_;
  std::vector<PartBuffers> parts_;
};

}  // namespace

ShardBuffers plan_buffers(const Network& network, const std::vector<Group>& groups, int shard_size, int block,
                          std::size_t picture_bytes, MemoryPlan& memory) {
  return Planner(network, groups, memory).plan(shard_size, block, picture_bytes);
}

}  // namespace whorl::nn::cpu
