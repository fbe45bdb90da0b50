// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "doctor/layout.hpp"

namespace whorl::doctor {

inline const Layout one_node{.hosts = {"a", "a"}, .nodes = {0, 0}, .threads = 1};
inline const Layout two_nodes{.hosts = {"a", "a", "b", "b"}, .nodes = {0, 0, 1, 1}, .threads = 1};
inline const Layout three_nodes{.hosts = {"a", "b", "c"}, .nodes = {0, 1, 2}, .threads = 1};

}  // namespace whorl::doctor
