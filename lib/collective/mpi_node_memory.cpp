// SPDX-License-Identifier: BSD-3-Clause
#include "collective/mpi_node_memory.hpp"

#include <sched.h>

#include <cstring>
#include <exception>
#include <memory>

#include "mpi/check.hpp"

namespace whorl::collective {
namespace {

MPI_Win allocate_window(const mpi::Communicator& node, std::size_t bytes) {
  MPI_Info info = MPI_INFO_NULL;
  mpi::check(MPI_Info_create(&info), "MPI_Info_create");
  mpi::check(MPI_Info_set(info, "alloc_shared_noncontig", "true"), "MPI_Info_set");
  MPI_Win window = MPI_WIN_NULL;
  void* own = nullptr;
  const int code = MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes), 1, info, node.get(),
                                           static_cast<void*>(&own), &window);
  MPI_Info_free(&info);
  mpi::check(code, "MPI_Win_allocate_shared", "gradients; its memory comes from /dev/shm");
  return window;
}

}  // namespace

MpiNodeMemory::~MpiNodeMemory() {
  if (std::uncaught_exceptions() > 0) return;
  for (MPI_Win& window : windows_) {
    MPI_Win_unlock_all(window);
    MPI_Win_free(&window);
  }
}

std::vector<std::byte*> MpiNodeMemory::allocate(std::size_t bytes) {
  constexpr std::size_t line = 64;
  // The standard promises no alignment: take a line more, and start at the first.
  const MPI_Win window = allocate_window(node_, bytes + line);
  windows_.push_back(window);
  // What makes other ranks' stores visible are atomics; the epoch is what the standard asks for.
  mpi::check(MPI_Win_lock_all(MPI_MODE_NOCHECK, window), "MPI_Win_lock_all");
  std::vector<std::byte*> parts;
  for (int rank = 0; rank < size(); ++rank) {
    MPI_Aint length = 0;
    int unit = 0;
    void* base = nullptr;
    mpi::check(MPI_Win_shared_query(window, rank, &length, &unit, static_cast<void*>(&base)),
               "MPI_Win_shared_query");
    std::size_t room = bytes + line;
    parts.push_back(static_cast<std::byte*>(std::align(line, bytes, base, room)));
  }
  // Each rank touches its own pages first, so that they lie near it.
  std::memset(parts[static_cast<std::size_t>(rank())], 0, bytes);
  node_.barrier();
  return parts;
}

void MpiNodeMemory::idle() {
  // A rank that shares its core with the one it waits for must give it up; a system call in every turn would
  // delay what has just come.
  constexpr unsigned turns = 64;
  if (++idle_turns_ % turns == 0) sched_yield();
}

}  // namespace whorl::collective
