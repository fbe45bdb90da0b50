// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "collective/all_reduce.hpp"
#include "collective/node_memory.hpp"

namespace whorl::collective {

/// All-reduce in memory that the ranks of a node share, in place where the data lie in it:
///
///   cut data into as many slices as the node has owners, at ends of cache lines
///   rank r, once all ranks of the node have started this sum:
///     add slice r of all of them
///     between nodes: sum slice r over the r-th ranks of all nodes
///     store slice r to all of them
///   done once every owner has stored its slice
///
/// On one node ("shared") every rank is an owner; it reads and writes each number of its slice once per rank,
/// and nothing is sent. Over several nodes ("hierarchical") each number crosses a node's link 2(N-1)/N times
/// for N nodes, however many ranks the node has. Nodes may have different numbers of ranks; the smallest
/// number is that of owners.
///
/// Data that do not lie in memory of allocate() are staged: copied through shared memory, `staging_bytes` at
/// a time.
class Shared : public AllReduce {
 public:
  /// `between` sums over the nodes, for the ranks that are owners; null on the others, and on all ranks where
  /// there is only one node. Collective over the node.
  Shared(std::unique_ptr<NodeMemory> node, std::unique_ptr<AllReduce> between, int owners,
         std::size_t staging_bytes);
  /// All sums have been waited for, unless an exception ends the whole job.
  ~Shared() override;

  std::string name() const override { return name_; }
  std::optional<Cost> cost(Values data) const override;
  std::optional<Cost> spent() const override;
  Ticket start_sum(Values data) override;
  bool done(Ticket ticket) const override { return completed_ >= ticket.id; }
  void progress() override;
  void wait(Ticket ticket) override;

 protected:
  std::byte* allocate_bytes(std::size_t bytes) override;

 private:
  struct Counters;
  /// What is summed at a time: the data of a sum in place, or one slot's worth of others.
  struct Item {
    const NodeMemory::Region* region = nullptr;
    std::size_t offset = 0;  // bytes, in every rank's part of the region
    Element element{};
    std::size_t count = 0;
    Values outside{};          // where staged data come from and go to
    std::uint64_t number = 0;  // of a staged item, among those
    Ticket between{};

    bool is_staged() const { return !outside.empty(); }
    Values of(int rank) const {
      return {element, region->parts[static_cast<std::size_t>(rank)] + offset, count};
    }
  };

  /// Moves on what can be moved on; false when that was nothing.
  bool advance();
  bool publish();
  bool add_slice();
  bool store_slice();
  bool complete();

  Item& item(std::uint64_t number) { return items_[static_cast<std::size_t>(number - completed_)]; }
  Counters& own_counters() { return *counters_[static_cast<std::size_t>(rank_)]; }
  /// What a sum of `data`, started now, consists of.
  std::vector<Item> items_of(Values data) const;
  /// The slice that this rank adds, in the memory of `rank`; empty where this rank is no owner.
  Values own_slice(const Item& item, int rank) const;
  /// Adds the own slice of all ranks of the node; on one node, also stores it to all of them.
  void add_own_slice(const Item& item);
  /// Copies this part of the own slice to the next `ranks` ranks of the node.
  void store(const Item& item, std::size_t begin, std::size_t count, int ranks);

  std::string name_;
  std::unique_ptr<NodeMemory> node_;
  std::unique_ptr<AllReduce> between_;
  int rank_, size_, owners_;
  std::size_t slot_bytes_;
  std::vector<Counters*> counters_;  // by rank
  const NodeMemory::Region* staging_ = nullptr;

  // Items are numbered in the order in which every rank starts them. Each counter is that of the first item
  // which this rank has not taken so far; they only grow, and none overtakes the one before.
  std::deque<Item> items_;  // from completed_ on
  std::uint64_t started_ = 0, published_ = 0, added_ = 0, stored_ = 0, completed_ = 0;
  std::uint64_t staged_ = 0, completed_staged_ = 0;  // of those started and completed
  Cost spent_;
};

}  // namespace whorl::collective
