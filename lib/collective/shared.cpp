// SPDX-License-Identifier: BSD-3-Clause
#include "collective/shared.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <utility>

#include "base/block_range.hpp"
#include "base/error.hpp"

namespace whorl::collective {
namespace {

constexpr std::size_t cache_line = 64;
/// Staged items that can be on their way at a time: one is copied in while another is summed.
constexpr std::uint64_t slots = 2;
/// Of a slice added at a time: stays in the first-level cache until it has been stored to all ranks.
constexpr std::size_t block_bytes = 16 * 1024;

}  // namespace

/// How far a rank is, seen by all of its node. Each has a cache line of its own, so that waiting for one does
/// not slow down the writer of the other.
struct Shared::Counters {
  alignas(cache_line) std::atomic<std::uint64_t> published;  ///< items whose data are ready to be added
  alignas(cache_line) std::atomic<std::uint64_t> stored;     ///< items of which this rank's slice is done
};

Shared::Shared(std::unique_ptr<NodeMemory> node, std::unique_ptr<AllReduce> between, int owners,
               std::size_t staging_bytes)
    : name_(between || owners < node->size() ? "hierarchical" : "shared"),
      node_(std::move(node)),
      between_(std::move(between)),
      rank_(node_->rank()),
      size_(node_->size()),
      owners_(owners),
      slot_bytes_(staging_bytes / slots / cache_line * cache_line) {
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "ranks share the counters");
  require(slot_bytes_ > 0, "shared all-reduce: {} bytes for staging; at least {}", staging_bytes,
          slots * cache_line);
  for (std::byte* part : node_->allocate(sizeof(Counters)).parts) {
    // All zero already, and other ranks may use theirs before this one has come here.
    counters_.push_back(std::launder(reinterpret_cast<Counters*>(part)));
  }
  staging_ = &node_->allocate(slots * slot_bytes_);
}

Shared::~Shared() = default;

std::byte* Shared::allocate_bytes(std::size_t bytes) {
  return node_->allocate(bytes).parts[static_cast<std::size_t>(rank_)];
}

std::optional<Cost> Shared::cost(Values data) const {
  Cost sum;
  for (const Item& item : items_of(data)) {
    const Values own = own_slice(item, rank_);
    if (size_ > 1) sum.steps += 2;
    sum.bytes_sent += static_cast<std::int64_t>(own.size_bytes()) * (size_ - 1);
    if (!between_) continue;
    const Cost outside = between_->cost(own).value();
    sum.steps += outside.steps;
    sum.bytes_sent += outside.bytes_sent;
  }
  return sum;
}

std::optional<Cost> Shared::spent() const {
  Cost sum = spent_;
  if (between_) {
    const Cost outside = between_->spent().value();
    sum.steps += outside.steps;
    sum.bytes_sent += outside.bytes_sent;
  }
  return sum;
}

Ticket Shared::start_sum(Values data) {
  for (const Item& item : items_of(data)) {
    items_.push_back(item);
    if (item.is_staged()) ++staged_;
    ++started_;
  }
  advance();
  return Ticket{started_};  // it is done when all items before this one are
}

std::vector<Shared::Item> Shared::items_of(Values data) const {
  std::vector<Item> items;
  if (data.empty()) return items;
  if (const NodeMemory::Region* region = node_->region_of(data.bytes())) {
    const std::byte* begin = region->parts[static_cast<std::size_t>(rank_)];
    items.push_back({.region = region,
                     .offset = static_cast<std::size_t>(data.data() - begin),
                     .element = data.element(),
                     .count = data.size()});
    return items;
  }
  const std::size_t most = slot_bytes_ / size_of(data.element());
  for (std::size_t begin = 0; begin < data.size(); begin += most) {
    const Values part = data.subspan(begin, std::min(most, data.size() - begin));
    const std::uint64_t number = staged_ + items.size();
    items.push_back({.region = staging_,
                     .offset = static_cast<std::size_t>(number % slots) * slot_bytes_,
                     .element = part.element(),
                     .count = part.size(),
                     .outside = part,
                     .number = number});
  }
  return items;
}

Values Shared::own_slice(const Item& item, int rank) const {
  const Values whole = item.of(rank);
  if (rank_ >= owners_) return whole.subspan(0, 0);
  const std::size_t line = cache_line / size_of(whole.element());
  const auto lines = static_cast<std::int64_t>((whole.size() + line - 1) / line);
  const Range own = block_range(lines, owners_, rank_);
  const auto element = [&](std::int64_t of_line) {
    return std::min(static_cast<std::size_t>(of_line) * line, whole.size());
  };
  return whole.subspan(element(own.begin), element(own.end) - element(own.begin));
}

bool Shared::advance() {
  if (between_) between_->progress();
  bool moved = publish();
  moved |= add_slice();
  moved |= store_slice();
  moved |= complete();
  return moved;
}

bool Shared::publish() {
  if (published_ == started_) return false;
  const Item& next = item(published_);
  if (next.is_staged()) {
    // Its slot is free once the item that had it before is complete.
    if (next.number >= completed_staged_ + slots) return false;
    std::memcpy(next.of(rank_).data(), next.outside.data(), next.outside.size_bytes());
  }
  own_counters().published.store(++published_, std::memory_order_release);
  return true;
}

bool Shared::add_slice() {
  if (added_ == published_) return false;
  for (const Counters* rank : counters_) {
    if (rank->published.load(std::memory_order_acquire) <= added_) return false;
  }
  Item& next = item(added_++);
  add_own_slice(next);
  if (between_) next.between = between_->start_sum(own_slice(next, rank_));
  if (size_ > 1) spent_.steps += 2;
  return true;
}

void Shared::add_own_slice(const Item& item) {
  const std::size_t block = block_bytes / size_of(item.element), size = own_slice(item, rank_).size();
  for (std::size_t begin = 0; begin < size; begin += block) {
    const std::size_t count = std::min(block, size - begin);
    const auto terms = [&](int step) {
      return own_slice(item, (rank_ + step) % size_).subspan(begin, count);
    };
    for (int step = 1; step < size_; ++step) {
      // The last pass over the sum stores it as well: the lines it would go to are at hand.
      if (step == size_ - 1 && !between_) {
        add_into_both(terms(0), terms(step));
      } else {
        add(terms(0), terms(step));
      }
    }
    if (!between_) store(item, begin, count, size_ - 2);
  }
}

void Shared::store(const Item& item, std::size_t begin, std::size_t count, int ranks) {
  const Values sum = own_slice(item, rank_).subspan(begin, count);
  for (int step = 1; step <= ranks; ++step) {
    const Values copy = own_slice(item, (rank_ + step) % size_).subspan(begin, count);
    std::memcpy(copy.data(), sum.data(), sum.size_bytes());
  }
}

bool Shared::store_slice() {
  if (stored_ == added_) return false;
  const Values own = own_slice(item(stored_), rank_);
  if (between_) {
    if (!between_->done(item(stored_).between)) return false;
    store(item(stored_), 0, own.size(), size_ - 1);
  }
  spent_.bytes_sent += static_cast<std::int64_t>(own.size_bytes()) * (size_ - 1);
  own_counters().stored.store(++stored_, std::memory_order_release);
  return true;
}

bool Shared::complete() {
  if (completed_ == stored_) return false;
  for (const Counters* rank : counters_) {
    if (rank->stored.load(std::memory_order_acquire) <= completed_) return false;
  }
  const Item& first = items_.front();
  if (first.is_staged()) {
    std::memcpy(first.outside.data(), first.of(rank_).data(), first.outside.size_bytes());
    ++completed_staged_;
  }
  items_.pop_front();
  ++completed_;
  return true;
}

void Shared::progress() {
  while (advance()) {
  }
}

void Shared::wait(Ticket ticket) {
  while (!done(ticket)) {
    if (!advance()) node_->idle();
  }
}

}  // namespace whorl::collective
