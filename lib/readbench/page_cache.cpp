// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/page_cache.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <vector>

#include "base/error.hpp"
#include "dataset/stable_file.hpp"

namespace whorl::readbench {

namespace {

using dataset::StableFile;

class Mapping {
 public:
  explicit Mapping(const StableFile& file)
      : length_(static_cast<std::size_t>(file.size())),
        start_(::mmap(nullptr, length_, PROT_READ, MAP_SHARED, file.descriptor(), 0)) {
    require(start_ != MAP_FAILED, "cannot map {}: {}", file.path(), system_error_text(errno));
  }
  ~Mapping() { ::munmap(start_, length_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  void* start() const { return start_; }

 private:
  std::size_t length_;
  void* start_;
};

Residency residency_of(const StableFile& file) {
  if (file.size() == 0) return {};
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  std::vector<unsigned char> pages(static_cast<std::size_t>((file.size() + page - 1) / page));
  const Mapping mapping(file);
  const int code = ::mincore(mapping.start(), static_cast<std::size_t>(file.size()), pages.data());
  require(code == 0, "cannot ask which pages of {} are in memory: {}", file.path(), system_error_text(errno));
  const auto resident = std::ranges::count_if(pages, [](unsigned char flags) { return (flags & 1) != 0; });
  return {resident * page, std::ssize(pages) * page};
}

void drop(const StableFile& file) {
  const int error = ::posix_fadvise(file.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
  require(error == 0, "cannot drop {} from the page cache: {}", file.path(), system_error_text(error));
}

}  // namespace

Residency residency(std::span<const std::string> files) {
  Residency sum;
  for (const std::string& path : files) {
    const Residency one = residency_of(StableFile(path));
    sum.resident += one.resident;
    sum.total += one.total;
  }
  return sum;
}

// Dirty pages stay until they are written back, which is slow and seldom needed.
void drop_from_cache(std::span<const std::string> files) {
  for (const std::string& path : files) {
    const StableFile file(path);
    drop(file);
    if (residency_of(file).resident == 0) continue;
    const int code = ::fdatasync(file.descriptor());
    require(code == 0 || errno == EINVAL || errno == EROFS, "cannot write back {}: {}", path,
            system_error_text(errno));
    drop(file);
  }
}

std::int64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string name; file >> name;) {
    std::int64_t kilobytes = 0;
    if (file >> kilobytes && name == "MemAvailable:") return kilobytes * 1024;
    file.clear();
    file.ignore(1 << 10, '\n');
  }
  throw Error("/proc/meminfo does not say MemAvailable");
}

}  // namespace whorl::readbench
