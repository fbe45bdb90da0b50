// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/scratch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "base/progress.hpp"
#include "base/unique_handle.hpp"
#include "doctor/self_test.hpp"
#include "doctor/watchdog.hpp"
#include "readbench/page_cache.hpp"

namespace whorl::doctor {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double most_seconds = 1;  // of writing, of reading
constexpr std::size_t piece = 4'000'000, most_pieces = 32;
constexpr double little_space = 1e9, slow_disk = 50e6;  // bytes, bytes/s
constexpr int appearance_tenths = 30;                   // NFS shows what another node wrote within 3 s

struct CloseFile {
  static int invalid() { return -1; }
  static void release(int descriptor) noexcept { ::close(descriptor); }
};
using Descriptor = UniqueHandle<int, CloseFile>;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Descriptor open(const fs::path& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  require(static_cast<bool>(file), "cannot open {}: {}", path.string(), system_error_text(errno));
  return file;
}

/// A folder of the job's own, by rank 0; gone with everything in it when the check ends.
class OwnFolder {
 public:
  OwnFolder(const mpi::Communicator& comm, const fs::path& scratch) : is_mine_(comm.is_root()) {
    std::string name = (scratch / "whorl-doctor-XXXXXX").string();
    mpi::on_root(comm, [&] {
      const bool is_made = ::mkdtemp(name.data()) != nullptr;
      require(is_made, "cannot write in {}: {}", scratch.string(), system_error_text(errno));
    });
    comm.broadcast(name);
    path_ = name;
  }
  ~OwnFolder() {
    std::error_code ignored;
    if (is_mine_) fs::remove_all(path_, ignored);
  }
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  bool is_mine_;
  fs::path path_;
};

/// The folder that rank 0 made; throws on all ranks, naming the first host that does not see it.
void require_seen_everywhere(const mpi::Communicator& comm, const Layout& layout, const fs::path& folder) {
  bool is_there = false;
  for (int i = 0; i < appearance_tenths && !is_there; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::error_code absent;
    is_there = fs::is_directory(folder, absent);
  }
  const std::vector<int> seen = comm.all_gather(is_there ? 1 : 0);
  const auto blind = std::ranges::find(seen, 0);
  if (blind != seen.end())
    throw CollectiveError("{} does not see what {} makes in {}",
                          layout.name(static_cast<int>(blind - seen.begin())), layout.name(0),
                          folder.parent_path().string());
}

/// Writes pieces until they are on the disk, as many as there is time for; returns bytes/s and, in `pieces`,
/// how many.
double time_writing(const fs::path& path, const std::vector<char>& data, std::size_t& pieces) {
  const LocalWork work("writing " + path.string());
  const Descriptor file = open(path, O_WRONLY | O_CREAT | O_EXCL);
  const Clock::time_point start = Clock::now();
  for (pieces = 0; pieces < most_pieces && (pieces == 0 || seconds_since(start) < most_seconds); ++pieces) {
    const ssize_t written = ::write(file.get(), data.data(), data.size());
    require(written == static_cast<ssize_t>(data.size()), "cannot write {}: {}", path.string(),
            system_error_text(written < 0 ? errno : ENOSPC));
    const bool is_kept = ::fsync(file.get()) == 0;
    require(is_kept, "cannot finish {}: {}", path.string(), system_error_text(errno));
  }
  return static_cast<double>(pieces * data.size()) / seconds_since(start);
}

/// Reads it back, out of the disk where the kernel lets go of it.
void time_reading(const fs::path& path, std::vector<char>& data, std::size_t pieces, Disk& disk) {
  const LocalWork work("reading " + path.string());
  const std::string name = path.string();
  readbench::drop_from_cache({&name, 1});
  disk.is_cold = readbench::residency({&name, 1}).resident == 0;
  const Descriptor file = open(path, O_RDONLY);
  const Clock::time_point start = Clock::now();
  std::size_t done = 0;
  for (; done < pieces && (done == 0 || seconds_since(start) < most_seconds); ++done) {
    const ssize_t got = ::read(file.get(), data.data(), data.size());
    require(got == static_cast<ssize_t>(data.size()), "cannot read {}: {}", path.string(),
            system_error_text(got < 0 ? errno : EIO));
  }
  disk.read_rate = static_cast<double>(done * data.size()) / seconds_since(start);
}

Disk measure_disk(const fs::path& path) {
  std::vector<char> data(piece);
  for (std::size_t i = 0; i < piece; ++i) data[i] = static_cast<char>(i * i >> 7);
  Disk disk;
  struct statvfs status {};
  const bool is_known = ::statvfs(path.parent_path().c_str(), &status) == 0;
  require(is_known, "cannot ask how full {} is: {}", path.parent_path().string(), system_error_text(errno));
  disk.free = static_cast<double>(status.f_bavail) * static_cast<double>(status.f_frsize);
  std::size_t pieces = 0;
  disk.write_rate = time_writing(path, data, pieces);
  time_reading(path, data, pieces, disk);
  return disk;
}

/// Every node at once, its first rank at work.
std::vector<Disk> measure_disks(const mpi::Communicator& comm, const Layout& layout, const fs::path& folder) {
  const std::vector<int> leaders = layout.first_ranks();
  Disk mine;
  mpi::together(comm, [&] {
    if (std::ranges::find(leaders, comm.rank()) != leaders.end())
      mine = measure_disk(folder / fmt::format("disk-{}", comm.rank()));
  });
  const std::vector<Disk> all = gather(comm, mine);
  std::vector<Disk> disks;
  for (const int rank : leaders) disks.push_back(all[static_cast<std::size_t>(rank)]);
  return disks;
}

Check check_disk(const mpi::Communicator& comm, const Layout& layout, const fs::path& folder) {
  std::string file_system;
  mpi::on_root(comm, [&] {
    file_system = file_system_of(fs::canonical(folder), read_text_file("/proc/self/mounts"));
  });
  comm.broadcast(file_system);
  const std::vector<Disk> disks = measure_disks(comm, layout, folder);
  return {.name = "disk",
          .findings = judge_disk(layout, file_system, disks),
          .figures = {{"file_system", file_system}, {"by_node", disks}}};
}

Check self_test(const Layout& layout, const std::string& library, const std::vector<int>& wrong) {
  return {.name = library,
          .findings = {judge_self_test(layout, wrong)},
          .figures = {{"wrong_values_by_rank", wrong}}};
}

}  // namespace

// The mount whose path is the longest that `folder` begins with; the last of equal ones hides the others.
std::string file_system_of(const fs::path& folder, const std::string& mounts) {
  std::istringstream lines(mounts);
  fs::path best_path;
  std::string best_type = "unknown";
  for (std::string line; std::getline(lines, line);) {
    std::string device, type;
    fs::path path;
    std::istringstream(line) >> device >> path >> type;
    const bool holds = std::ranges::mismatch(path, folder).in1 == path.end();
    if (holds && path.native().size() >= best_path.native().size()) {
      best_path = path;
      best_type = type;
    }
  }
  return best_type;
}

std::vector<Finding> judge_disk(const Layout& layout, const std::string& file_system,
                                const std::vector<Disk>& disks) {
  const auto slowest = std::ranges::min_element(disks, {}, &Disk::write_rate);
  const auto rate_text = [](double rate) { return format_bytes(rate) + "/s"; };
  std::string text = fmt::format("{}, {} free; {} written and synchronised, {} read {}", file_system,
                                 format_bytes(slowest->free), rate_text(slowest->write_rate),
                                 rate_text(slowest->read_rate), slowest->is_cold ? "cold" : "from memory");
  if (disks.size() > 1)
    text +=
        fmt::format(" by {}, the slowest of {} nodes at once",
                    layout.host_of(layout.first_ranks()[static_cast<std::size_t>(slowest - disks.begin())]),
                    disks.size());
  if (std::ranges::min(disks, {}, &Disk::free).free < little_space)
    return {{Level::warn, text, "make room, or use another folder: a dataset is as large as its pixels"}};
  if (file_system.starts_with("nfs"))
    return {{Level::warn, text,
             "NFS keeps MPI-IO right only with locks, and slow: use the parallel file system of the site"}};
  if (slowest->write_rate < slow_disk)
    return {{Level::warn, text,
             "use the file system that the site has for jobs; stripe large files (Lustre: lfs setstripe)"}};
  return {{Level::ok, text, ""}};
}

std::vector<Check> check_scratch(const mpi::Communicator& comm, const Layout& layout,
                                 const fs::path& scratch) {
  std::vector<Check> checks;
  try {
    const OwnFolder folder(comm, scratch);
    require_seen_everywhere(comm, layout, folder.path());
    checks.push_back(self_test(layout, "MPI-IO", write_and_read_by_mpi_io(comm, folder.path() / "mpi-io")));
    checks.push_back(self_test(layout, "HDF5", write_and_read_by_hdf5(comm, folder.path() / "values.h5")));
    checks.push_back(check_disk(comm, layout, folder.path()));
  } catch (const CollectiveError& error) {
    checks.push_back({.name = "scratch",
                      .findings = {{Level::fail, error.what(),
                                    "name a folder that every node may write in: --scratch DIR"}},
                      .figures = {}});
  }
  return checks;
}

}  // namespace whorl::doctor
