// SPDX-License-Identifier: BSD-3-Clause
#include "report/environment.hpp"

#include <dnnl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <hdf5.h>

#include <ctime>

#include "h5/handles.hpp"
#include "mpi/cores.hpp"
#include "mpi/session.hpp"
#include "report/build_info.hpp"

namespace whorl::report {

std::vector<std::pair<std::string, std::string>> versions() {
  unsigned major = 0, minor = 0, release = 0;
  h5::check(H5get_libversion(&major, &minor, &release), "ask the HDF5 library for its version");
  const dnnl_version_t* onednn = dnnl_version();
  return {{"whorl", build_info::version},
          {"git_commit", build_info::git_commit},
          {"build_type", build_info::build_type},
          {"compiler", build_info::compiler},
          {"mpi", mpi::library_version()},
          {"hdf5", fmt::format("{}.{}.{}", major, minor, release)},
          {"onednn", fmt::format("{}.{}.{}", onednn->major, onednn->minor, onednn->patch)}};
}

std::vector<RankPlace> rank_places(const mpi::Communicator& comm) {
  const std::vector<std::string> hosts = comm.all_gather(mpi::host_name());
  const std::vector<std::string> cpus = comm.all_gather(mpi::ranges_text(mpi::bound_cpus()));
  std::vector<RankPlace> places;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) places.push_back({hosts[rank], cpus[rank]});
  return places;
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace whorl::report
