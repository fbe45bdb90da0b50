// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/node_window.hpp"

#include <cstring>
#include <exception>
#include <memory>
#include <utility>

#include "base/error.hpp"
#include "mpi/check.hpp"

namespace whorl::mpi {
namespace {

constexpr std::size_t cache_line = 64;

MPI_Win allocate(const Communicator& node, std::size_t bytes, const char* what) {
  MPI_Info info = MPI_INFO_NULL;
  check(MPI_Info_create(&info), "MPI_Info_create");
  check(MPI_Info_set(info, "alloc_shared_noncontig", "true"), "MPI_Info_set");
  MPI_Win window = MPI_WIN_NULL;
  void* own = nullptr;
  const int code = MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes), 1, info, node.get(),
                                           static_cast<void*>(&own), &window);
  MPI_Info_free(&info);
  check(code, "MPI_Win_allocate_shared", what);
  return window;
}

}  // namespace

NodeWindow::NodeWindow(const Communicator& node, std::size_t bytes, const char* what)
    // The standard promises no alignment: take a line more, and start at the first.
    : window_(allocate(node, bytes + cache_line, what)) {
  // What makes other ranks' stores visible are atomics; the epoch is what the standard asks for.
  check(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_), "MPI_Win_lock_all");
  for (int rank = 0; rank < node.size(); ++rank) {
    MPI_Aint length = 0;
    int unit = 0;
    void* base = nullptr;
    check(MPI_Win_shared_query(window_, rank, &length, &unit, static_cast<void*>(&base)),
          "MPI_Win_shared_query");
    std::size_t room = bytes + cache_line;
    parts_.push_back(static_cast<std::byte*>(std::align(cache_line, bytes, base, room)));
  }
  // Each rank touches its own pages first, so that they lie near it.
  std::memset(parts_[static_cast<std::size_t>(node.rank())], 0, bytes);
  node.barrier();
}

NodeWindow::NodeWindow(NodeWindow&& other) noexcept
    : window_(std::exchange(other.window_, MPI_WIN_NULL)), parts_(std::move(other.parts_)) {}

NodeWindow& NodeWindow::operator=(NodeWindow&& other) noexcept {
  std::swap(window_, other.window_);
  std::swap(parts_, other.parts_);
  return *this;
}

NodeWindow::~NodeWindow() {
  if (window_ == MPI_WIN_NULL || std::uncaught_exceptions() > 0) return;
  MPI_Win_unlock_all(window_);
  MPI_Win_free(&window_);
}

}  // namespace whorl::mpi
