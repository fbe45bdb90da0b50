// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/mpi_library.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <link.h>
#include <mpi.h>

#include <algorithm>
#include <string_view>

#include "mpi/check.hpp"
#include "mpi/session.hpp"

namespace whorl::doctor {

namespace {

/// ".../mca_btl_tcp.so" of the frameworks that carry messages as "btl tcp".
int note_module(dl_phdr_info* library, std::size_t, void* modules) {
  constexpr std::string_view start = "mca_", end = ".so";
  std::string_view name = library->dlpi_name;
  name.remove_prefix(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1);
  if (!name.starts_with(start) || !name.ends_with(end)) return 0;
  std::string module(name.substr(start.size(), name.size() - start.size() - end.size()));
  for (const std::string_view framework : {"pml_", "mtl_", "btl_"}) {
    if (!module.starts_with(framework)) continue;
    module[framework.size() - 1] = ' ';
    static_cast<std::vector<std::string>*>(modules)->push_back(module);
  }
  return 0;
}

std::string thread_level() {
  int level = MPI_THREAD_SINGLE;
  mpi::check(MPI_Query_thread(&level), "MPI_Query_thread");
  return level == MPI_THREAD_MULTIPLE     ? "multiple"
         : level == MPI_THREAD_SERIALIZED ? "serialized"
         : level == MPI_THREAD_FUNNELED   ? "funneled"
                                          : "single";
}

}  // namespace

MpiLibrary mpi_library_of_this_rank() {
  MpiLibrary library{.version = mpi::library_version(), .thread_level = thread_level(), .modules = {}};
  dl_iterate_phdr(note_module, &library.modules);
  std::ranges::sort(library.modules);
  return library;
}

std::vector<Finding> judge_mpi_library(const Layout& layout, const std::vector<MpiLibrary>& libraries) {
  const MpiLibrary& first = libraries.front();
  for (std::size_t rank = 1; rank < libraries.size(); ++rank) {
    if (libraries[rank].version == first.version) continue;
    return {{Level::fail,
             fmt::format("{} runs {}, but {} runs {}", layout.name(0), first.version,
                         layout.name(static_cast<int>(rank)), libraries[rank].version),
             "load the same modules on every node (slurm/site.sh), and rebuild whorl with them"}};
  }
  std::string text = fmt::format("{}, thread level {}", first.version, first.thread_level);
  if (!first.modules.empty()) text += fmt::format("; loaded: {}", fmt::join(first.modules, ", "));
  return {{Level::ok, text, ""}};
}

Check check_mpi_library(const mpi::Communicator& comm, const Layout& layout) {
  const std::vector<MpiLibrary> libraries = gather(comm, mpi_library_of_this_rank());
  return {
      .name = "MPI", .findings = judge_mpi_library(layout, libraries), .figures = {{"by_rank", libraries}}};
}

}  // namespace whorl::doctor
