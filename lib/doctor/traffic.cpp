// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/traffic.hpp"

#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <sstream>

namespace whorl::doctor {

namespace {

namespace fs = std::filesystem;

constexpr double least_share = 0.1;  // several rails may share a message

void for_each_rdma_port(const fs::path& root,
                        const std::function<void(const std::string& name, const fs::path& folder)>& body) {
  std::error_code none;  // most machines have no such folder
  for (const fs::directory_entry& device : fs::directory_iterator(root / "sys/class/infiniband", none))
    for (const fs::directory_entry& port : fs::directory_iterator(device.path() / "ports", none))
      body(fmt::format("{} port {}", device.path().filename().string(), port.path().filename().string()),
           port.path());
}

}  // namespace

// /proc/net/dev, below two lines of heading: "eth0: " and 8 counters of what was received, bytes first, then
// 8 of what was sent.
Traffic read_traffic(const fs::path& root) {
  Traffic traffic;
  std::ifstream file(root / "proc/net/dev");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::istringstream counters(line.substr(colon + 1));
    double bytes = 0;
    for (int i = 0; i < 9; ++i) counters >> bytes;
    traffic[line.substr(line.find_first_not_of(' '), colon - line.find_first_not_of(' '))] = bytes;
  }
  for_each_rdma_port(root, [&](const std::string& name, const fs::path& folder) {
    double words = 0;
    if (std::ifstream(folder / "counters/port_xmit_data") >> words) traffic[name] = 4 * words;
  });
  return traffic;
}

std::vector<std::string> carriers(const Traffic& before, const Traffic& after, double bytes) {
  std::vector<std::string> names;
  for (const auto& [name, sent] : after) {
    const auto old = before.find(name);
    if (old != before.end() && sent - old->second > least_share * bytes) names.push_back(name);
  }
  return names;
}

std::vector<std::string> active_rdma_ports(const fs::path& root) {
  std::vector<std::string> names;
  for_each_rdma_port(root, [&](const std::string& name, const fs::path& folder) {
    int state = 0;
    if (std::ifstream(folder / "state") >> state && state == 4) names.push_back(name);  // "4: ACTIVE"
  });
  return names;
}

}  // namespace whorl::doctor
