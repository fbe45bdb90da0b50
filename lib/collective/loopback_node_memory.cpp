// SPDX-License-Identifier: BSD-3-Clause
#include "collective/loopback_node_memory.hpp"

#include <barrier>
#include <new>
#include <thread>

namespace whorl::collective {
namespace {

constexpr std::size_t cache_line = 64;
struct alignas(cache_line) Line {
  std::byte bytes[cache_line];
};

/// What the ranks share. An allocation lives as long as any of them.
struct Group {
  explicit Group(int size) : barrier(size), parts(static_cast<std::size_t>(size)), kept(parts.size()) {}
  std::barrier<> barrier;
  std::vector<std::byte*> parts;                           // of the allocation under way
  std::vector<std::vector<std::unique_ptr<Line[]>>> kept;  // by rank
};

class LoopbackNodeMemory : public NodeMemory {
 public:
  LoopbackNodeMemory(std::shared_ptr<Group> group, int rank) : group_(std::move(group)), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(group_->parts.size()); }
  void idle() override { std::this_thread::yield(); }

 private:
  std::vector<std::byte*> allocate_parts(std::size_t bytes) override {
    const auto own = static_cast<std::size_t>(rank_);
    auto lines = std::make_unique<Line[]>(bytes / cache_line + 1);
    group_->parts[own] = lines[0].bytes;
    group_->kept[own].push_back(std::move(lines));
    group_->barrier.arrive_and_wait();
    std::vector<std::byte*> parts = group_->parts;
    group_->barrier.arrive_and_wait();  // the next allocation overwrites them
    return parts;
  }

  std::shared_ptr<Group> group_;
  int rank_;
};

}  // namespace

std::vector<std::unique_ptr<NodeMemory>> make_loopback_node(int size) {
  const auto group = std::make_shared<Group>(size);
  std::vector<std::unique_ptr<NodeMemory>> ranks;
  for (int rank = 0; rank < size; ++rank) ranks.push_back(std::make_unique<LoopbackNodeMemory>(group, rank));
  return ranks;
}

}  // namespace whorl::collective
