// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <deque>
#include <memory>

#include "collective/all_reduce.hpp"
#include "collective/transport.hpp"

namespace whorl::collective {

/// What algorithms over a Transport have in common: sums under way that are moved on in turn, the oldest
/// first.
class SumQueue : public AllReduce {
 public:
  /// Messages carry at most `chunk_bytes`, but at least one element.
  SumQueue(std::unique_ptr<Transport> transport, std::size_t chunk_bytes);

  std::optional<Cost> spent() const override { return spent_; }
  Ticket start_sum(Values data) override;
  bool done(Ticket ticket) const override { return !under_way(ticket); }
  void progress() override;
  void wait(Ticket ticket) override;

 protected:
  /// One all-reduce under way.
  class Sum {
   public:
    explicit Sum(std::uint64_t id) : id_(id) {}
    virtual ~Sum() = default;
    Sum(const Sum&) = delete;
    Sum& operator=(const Sum&) = delete;
    std::uint64_t id() const { return id_; }
    virtual bool done() const = 0;
    /// Does what can be done now, without blocking; false when that was nothing.
    virtual bool advance() = 0;

   private:
    std::uint64_t id_;
  };
  virtual std::unique_ptr<Sum> make_sum(std::uint64_t id, Values data) = 0;

  /// Of the messages of one sum.
  static int tag_of(std::uint64_t id) { return static_cast<int>(id % Transport::tags); }
  /// Elements of one message.
  std::size_t chunk_of(Element element) const;
  /// Messages that `data` are cut into.
  int segments_of(Values data) const;

  std::byte* allocate_bytes(std::size_t bytes) override;

  std::unique_ptr<Transport> transport_;
  Cost spent_;

 private:
  /// Gives every sum under way a turn; false when nothing could move.
  bool advance();
  bool under_way(Ticket ticket) const;

  std::size_t chunk_bytes_;
  std::uint64_t next_id_ = 0;
  std::deque<std::unique_ptr<Sum>> sums_;  // by age
};

}  // namespace whorl::collective
