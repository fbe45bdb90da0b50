// SPDX-License-Identifier: BSD-3-Clause
#include "collective/mpi_node_memory.hpp"

#include <sched.h>

namespace whorl::collective {

void MpiNodeMemory::idle() {
  // A rank that shares its core with the one it waits for must give it up; a system call in every turn would
  // delay what has just come.
  constexpr unsigned turns = 64;
  if (++idle_turns_ % turns == 0) sched_yield();
}

}  // namespace whorl::collective
