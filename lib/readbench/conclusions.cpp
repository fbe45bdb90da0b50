// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <optional>
#include <tuple>

#include "readbench/analysis.hpp"

namespace whorl::readbench {

namespace {

/// Finds groups by condition, those of one source.
class SourceGroups {
 public:
  SourceGroups(std::span<const Group> groups, std::size_t source) : groups_(groups), source_(source) {}

  /// The condition nearest to training that was measured: shuffled, decoded, warm.
  const Group* usual() const {
    const auto likeness = [](const Group& group) {
      const Condition& c = group.condition;
      return std::tuple(c.order == dataset::Order::shuffled, c.decode, c.cache == Cache::warm, -c.prefetch);
    };
    const Group* best = nullptr;
    for (const Group& group : groups_)
      if (group.condition.source == source_ && (best == nullptr || likeness(group) > likeness(*best)))
        best = &group;
    return best;
  }
  const Group* find(Condition condition) const {
    condition.source = source_;
    const auto found = std::ranges::find(groups_, condition, &Group::condition);
    return found == groups_.end() ? nullptr : &*found;
  }

 private:
  std::span<const Group> groups_;
  std::size_t source_;
};

const char* bound_of(const Group& group) {
  if (group.cpu_share >= 0.8) return "bound by the processor";
  if (group.queue_share >= 0.3) return "other programs take the processor";
  if (group.disk_share >= 0.5) return "waits for the disk";
  return "neither processor nor disk is full";
}

std::string rate_text(const Group& group) {
  return fmt::format("{:.0f} images/s {} ({})", group.median_rate, to_string(group.condition.cache),
                     bound_of(group));
}

/// "; WHAT 3.2x" where the condition of `other` was measured too.
std::string ratio_text(const char* format, const Group& group, const Group* other) {
  if (other == nullptr || other == &group) return "";
  return fmt::format(fmt::runtime(format), group.median_rate / other->median_rate);
}

Condition with(Condition condition, Cache cache) {
  condition.cache = cache;
  return condition;
}

std::string batch_text(const Group& group) {
  const auto on_batch = std::ranges::find(group.regressions, "batch", &Regression::on);
  if (on_batch == group.regressions.end()) return "";
  const Line& line = on_batch->line;
  if (!(line.p < 0.05)) return "; the batch size makes no difference that shows";
  return fmt::format("; {} with larger batches (r = {:.2f}, p = {:.2g})",
                     line.slope > 0 ? "faster" : "slower", line.r, line.p);
}

std::string conclusion(const SourceGroups& groups, const std::optional<SourceGroups>& single_files) {
  const Group& usual = *groups.usual();
  Condition sequential = usual.condition, stored = usual.condition;
  sequential.order = dataset::Order::sequential;
  stored.decode = false;
  std::string text = rate_text(usual);
  const Group* cold = groups.find(with(usual.condition, Cache::cold));
  if (cold != nullptr && cold != &usual) text += ", " + rate_text(*cold);
  text += fmt::format(", {}", to_string(usual.condition.order));
  text += ratio_text("; {:.2f}x of sequential", usual, groups.find(sequential));
  text += ratio_text("; {:.2f}x of not decoding", usual, groups.find(stored));
  if (single_files) {
    text += ratio_text("; {:.3g}x single files", usual, single_files->find(usual.condition));
    if (cold != nullptr && cold != &usual)
      text += ratio_text(", {:.3g}x cold", *cold, single_files->find(cold->condition));
  }
  return text + batch_text(usual);
}

}  // namespace

std::vector<std::string> conclusions(std::span<const Group> groups, const Study& study) {
  const auto folder = std::ranges::find(study.sources, "folder", &SourceName::kind);
  std::vector<std::string> lines;
  for (std::size_t source = 0; source < study.sources.size(); ++source) {
    std::optional<SourceGroups> single_files;
    if (folder != study.sources.end() && study.sources[source].kind != "folder")
      single_files.emplace(groups, static_cast<std::size_t>(folder - study.sources.begin()));
    lines.push_back(source_label(study.sources, source) + ": " +
                    conclusion(SourceGroups(groups, source), single_files));
  }
  return lines;
}

}  // namespace whorl::readbench
