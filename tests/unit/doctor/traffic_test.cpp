// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/traffic.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "layouts.hpp"
#include "support/temporary_folder.hpp"

namespace whorl::doctor {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

TEST(Traffic, IsReadFromInterfacesAndRdmaPorts) {
  const test::TemporaryFolder root;
  write(root / "proc/net/dev",
        "Inter-|   Receive                            |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
        "    lo:     111       1    0    0    0     0          0         0      222       2    0\n"
        "eth0: 12345678901     1    0    0    0     0          0         0 98765432109       2    0\n");
  const fs::path port = root.path() / "sys/class/infiniband/mlx5_0/ports/1";
  write(port / "counters/port_xmit_data", "1000\n");
  write(port / "state", "4: ACTIVE\n");
  write(root / "sys/class/infiniband/mlx5_0/ports/2/state", "1: DOWN\n");
  EXPECT_EQ(read_traffic(root.path()),
            (Traffic{{"lo", 222}, {"eth0", 98765432109.0}, {"mlx5_0 port 1", 4000}}));
  EXPECT_EQ(active_rdma_ports(root.path()), (std::vector<std::string>{"mlx5_0 port 1"}));
  EXPECT_FALSE(read_traffic().empty());
}

TEST(Traffic, WhatGrewCarriedTheMessages) {
  const Traffic before{{"lo", 100}, {"eth0", 5000}, {"eth1", 0}};
  EXPECT_EQ(carriers(before, {{"lo", 105}, {"eth0", 6000}, {"eth1", 600}}, 1500),
            (std::vector<std::string>{"eth0", "eth1"}));
  EXPECT_TRUE(carriers(before, before, 1500).empty());
}

}  // namespace
}  // namespace whorl::doctor
