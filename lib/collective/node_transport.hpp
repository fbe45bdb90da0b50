// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "collective/node_memory.hpp"
#include "collective/transport.hpp"

namespace whorl::collective {

/// Messages that are read where they lie, if the receiver is on the sender's node and the data are in memory
/// of allocate():
///
///   sender: says "here it is" (an empty message)      receiver: copies it, or adds it to what it has
///           waits for the answer                                answers (an empty message)
///
/// No number is copied on the way: an addition reads the sender's memory and writes the receiver's. All other
/// messages, and small ones, go the way of `messages`.
class NodeTransport : public Transport {
 public:
  /// `node_ranks`: of every rank of `messages`, its rank in `memory`; nothing for those of other nodes.
  /// Messages of up to `small_bytes` are copied: faster than to announce and to answer them.
  NodeTransport(std::unique_ptr<Transport> messages, std::unique_ptr<NodeMemory> memory,
                std::vector<std::optional<int>> node_ranks, std::size_t small_bytes);

  int rank() const override { return messages_->rank(); }
  int size() const override { return messages_->size(); }
  std::byte* allocate(std::size_t bytes) override;
  Request start_send(int to, int tag, Values data) override;
  Request start_receive(int from, int tag, Values into, Arrival arrival) override;
  bool test(Request request) override;
  void idle() override { messages_->idle(); }

 private:
  /// A request; the parts of it that are still open.
  struct Open {
    std::optional<Request> message{};  ///< the data, or that they are there
    std::optional<Request> answer{};
    // Of a message that this rank reads where it lies:
    int from = 0, tag = 0;
    Values data{}, into{};
    Arrival arrival{};
  };
  /// The place of `data` in the memory of `rank`; nothing where a message has to carry them.
  std::optional<Values> at(int rank, Values data) const;
  /// Forgets `part` if it is complete.
  bool closed(std::optional<Request>& part);
  Request opened(Open open);

  std::unique_ptr<Transport> messages_;
  std::unique_ptr<NodeMemory> memory_;
  std::vector<std::optional<int>> node_ranks_;
  std::size_t small_bytes_;
  std::vector<Open> open_;     // by Request
  std::vector<Request> free_;  // indices of open_ that are not in use
};

}  // namespace whorl::collective
