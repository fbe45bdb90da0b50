// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace whorl::doctor {

/// Bytes that each network device which this process sees has sent so far: interfaces as /proc/net/dev counts
/// them, ports of InfiniBand, Omni-Path and RoCE as /sys/class/infiniband does ("mlx5_0 port 1").
using Traffic = std::map<std::string, double>;

/// `root` is where /proc and /sys are; tests have their own.
Traffic read_traffic(const std::filesystem::path& root = "/");

/// The devices that sent a good part of `bytes` between two readings: what really carried these bytes,
/// whatever MPI was told. None where it was memory, or a device that the kernel does not count.
std::vector<std::string> carriers(const Traffic& before, const Traffic& after, double bytes);

/// Ports that RDMA could use now.
std::vector<std::string> active_rdma_ports(const std::filesystem::path& root = "/");

}  // namespace whorl::doctor
