// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/links.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/progress.hpp"
#include "doctor/traffic.hpp"

namespace whorl::doctor {

namespace {

constexpr double seconds_within = 0.5, seconds_between = 2;  // for all pairs
constexpr double slow_within = 1e-3, slow_between = 10e-3;   // s for a megabyte; 1 Gbit/s takes 8 ms
constexpr double outlier = 2;                                // times the median pair
constexpr double most_skew = 1, dangerous_skew = 200;        // s; munge refuses what is 300 s old

std::string speed_text(double latency, double bandwidth) {
  const std::string time =
      latency < 1e-3 ? fmt::format("{:.1f} us", latency * 1e6) : fmt::format("{:.1f} ms", latency * 1e3);
  return fmt::format("{}, {}/s", time, format_bytes(bandwidth));
}

std::string pair_name(const Layout& layout, const PairTime& pair) {
  return fmt::format("{} and {}", layout.name(pair.first), layout.name(pair.second));
}

PairTime median_pair(std::vector<PairTime> pairs) {
  const auto middle = pairs.begin() + std::ssize(pairs) / 2;
  std::ranges::nth_element(pairs, middle, {}, &PairTime::seconds_per_megabyte);
  return *middle;
}

PairTime slowest_pair(const std::vector<PairTime>& pairs) {
  return *std::ranges::max_element(pairs, {}, &PairTime::seconds_per_megabyte);
}

std::string summary(const Layout& layout, const PairTimes& times) {
  const PairTime middle = median_pair(times.pairs), slowest = slowest_pair(times.pairs);
  std::string text = speed_text(middle.latency, middle.bandwidth);
  if (times.pairs.size() > 1)
    text += fmt::format(" (median of {} pairs); slowest {}: {}", times.pairs.size(),
                        pair_name(layout, slowest), speed_text(slowest.latency, slowest.bandwidth));
  if (times.rounds < times.all_rounds)
    text += fmt::format("; time for {} of {} rounds of pairs", times.rounds, times.all_rounds);
  return text;
}

std::optional<Finding> damage(const Layout& layout, const PairTimes& times) {
  const auto broken = std::ranges::find(times.pairs, false, &PairTime::intact);
  if (broken == times.pairs.end()) return std::nullopt;
  return Finding{Level::fail, "messages are damaged between " + pair_name(layout, *broken),
                 "leave both nodes out (--exclude) and tell the site; whatever is computed there is wrong"};
}

/// The first ranks of all nodes, on each of them; none on others.
std::vector<int> leaders_with(const mpi::Communicator& comm, const Layout& layout) {
  std::vector<int> leaders = layout.first_ranks();
  if (std::ranges::find(leaders, comm.rank()) == leaders.end()) leaders.clear();
  return leaders;
}

bool has_outlier(const PairTimes& times) {
  return slowest_pair(times.pairs).seconds_per_megabyte() >
         outlier * median_pair(times.pairs).seconds_per_megabyte();
}

Links measure(const mpi::Communicator& comm, const Layout& layout, const std::vector<int>& group,
              double seconds) {
  comm.barrier();  // so that what came before is not counted
  const Traffic before = read_traffic();
  Links links{.times = time_pairs(comm, group, seconds), .carriers = {}, .rdma_ports = {}};
  const std::vector<double> sent = comm.all_gather(links.times.bytes_sent);
  const int my_node = layout.nodes[static_cast<std::size_t>(comm.rank())];
  double sent_by_node = 0;
  for (const int rank : layout.ranks_on(my_node)) sent_by_node += sent[static_cast<std::size_t>(rank)];
  const auto names =
      sent_by_node > 0 ? carriers(before, read_traffic(), sent_by_node) : std::vector<std::string>();
  const auto all_names = gather(comm, names), all_ports = gather(comm, active_rdma_ports());
  for (const int rank : layout.first_ranks()) {
    links.carriers.push_back(all_names[static_cast<std::size_t>(rank)]);
    links.rdma_ports.push_back(all_ports[static_cast<std::size_t>(rank)]);
  }
  return links;
}

nlohmann::json figures_of(const Links& links) {
  return {{"pairs", links.times.pairs},
          {"rounds", links.times.rounds},
          {"rounds_for_all_pairs", links.times.all_rounds},
          {"carried_by", links.carriers},
          {"active_rdma_ports", links.rdma_ports}};
}

bool is_rdma(const std::string& device) {
  return device.find(" port ") != std::string::npos;
}

}  // namespace

std::vector<Finding> judge_within(const Layout& layout, const Links& links) {
  if (links.times.pairs.empty()) return {{Level::ok, "one rank a node: nothing to measure", ""}};
  if (const auto broken = damage(layout, links.times)) return {*broken};
  const std::string text = summary(layout, links.times);
  for (std::size_t node = 0; node < links.carriers.size(); ++node) {
    if (links.carriers[node].empty()) continue;
    return {{Level::warn,
             fmt::format("{}; carried by {} on {}, not by shared memory", text,
                         fmt::join(links.carriers[node], ", "), layout.host_of(layout.first_ranks()[node])),
             "let MPI use shared memory: with Open MPI leave btl and pml unset, or name vader (5: sm) "
             "among btl"}};
  }
  const bool is_slow = slowest_pair(links.times.pairs).seconds_per_megabyte() > slow_within;
  if (is_slow || has_outlier(links.times))
    return {{Level::warn, text + ", by shared memory",
             "see the binding above: these ranks share a core, or lie far apart on the node"}};
  return {{Level::ok, text + ", by shared memory", ""}};
}

std::vector<Finding> judge_between(const Layout& layout, const Links& links) {
  if (layout.node_count() == 1) return {{Level::ok, "one node: nothing to measure", ""}};
  if (const auto broken = damage(layout, links.times)) return {*broken};
  const std::vector<std::string>& devices = links.carriers[0];
  const std::string text = fmt::format("{}; carried by {}", summary(layout, links.times),
                                       devices.empty() ? "a device that the kernel does not count"
                                                       : fmt::format("{}", fmt::join(devices, ", ")));
  if (!devices.empty() && std::ranges::none_of(devices, is_rdma) && !links.rdma_ports[0].empty())
    return {{Level::warn, fmt::format("{} although {} is active", text, fmt::join(links.rdma_ports[0], ", ")),
             "use an MPI library built with UCX or libfabric (Open MPI: --mca pml ucx), and see that ulimit "
             "-l is unlimited"}};
  if (has_outlier(links.times))
    return {{Level::warn, text,
             "a sum over all ranks waits for its slowest link: leave out the node that is in the slow pairs "
             "(--exclude)"}};
  if (slowest_pair(links.times.pairs).seconds_per_megabyte() > slow_between)
    return {{Level::warn, text,
             "slower than Ethernet of 1 Gbit/s: name a faster network (Open MPI: --mca "
             "btl_tcp_if_include), or stay on one node"}};
  return {{Level::ok, text, ""}};
}

std::vector<Finding> judge_wall_clocks(const Layout& layout, const std::vector<ClockOffset>& offsets) {
  if (offsets.size() == 1) return {{Level::ok, "one node: nothing to compare", ""}};
  const auto worst = std::ranges::max_element(
      offsets, {}, [](const ClockOffset& offset) { return std::abs(offset.seconds); });
  const std::string text =
      fmt::format("{} is {:+.6f} s from {}, known to {:.6f} s: the farthest of {} nodes",
                  layout.host_of(layout.first_ranks()[static_cast<std::size_t>(worst - offsets.begin())]),
                  worst->seconds, layout.host_of(0), worst->uncertainty, offsets.size());
  const double certain = std::abs(worst->seconds) - worst->uncertainty;
  if (certain < most_skew) return {{Level::ok, text, ""}};
  return {{certain < dangerous_skew ? Level::warn : Level::fail, text,
           "set that node's clock (chrony, ntp): logs do not line up, file times lie, and Slurm refuses what "
           "is 300 s off"}};
}

std::optional<PairTime> link_between_nodes(const mpi::Communicator& comm, const Layout& layout) {
  const PairTimes times = time_pairs(comm, leaders_with(comm, layout), seconds_between);
  if (times.pairs.empty()) return std::nullopt;
  return median_pair(times.pairs);
}

Check check_within_nodes(const mpi::Communicator& comm, const Layout& layout) {
  const int node = layout.nodes[static_cast<std::size_t>(comm.rank())];
  const Links links = measure(comm, layout, layout.ranks_on(node), seconds_within);
  return {.name = "within nodes", .findings = judge_within(layout, links), .figures = figures_of(links)};
}

Check check_between_nodes(const mpi::Communicator& comm, const Layout& layout) {
  const Links links = measure(comm, layout, leaders_with(comm, layout), seconds_between);
  return {.name = "between nodes", .findings = judge_between(layout, links), .figures = figures_of(links)};
}

Check check_wall_clocks(const mpi::Communicator& comm, const Layout& layout) {
  const std::vector<ClockOffset> offsets = clock_offsets(comm, layout.first_ranks());
  return {.name = "wall clocks",
          .findings = judge_wall_clocks(layout, offsets),
          .figures = {{"ahead_of_first_node", offsets}}};
}

}  // namespace whorl::doctor
