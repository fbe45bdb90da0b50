// SPDX-License-Identifier: BSD-3-Clause
// A library to be preloaded into a program under test (LD_PRELOAD), in which the system behaves as it seldom
// does:
//   MISBEHAVIOUR=quota BYTES   no regular file may be written beyond this many bytes: EDQUOT
//   MISBEHAVIOUR=locks         no file can be locked: ENOSYS
//   MISBEHAVIOUR=clock         the wall clock goes back by an hour whenever it is asked
//   MISBEHAVIOUR=stopped       rank 1 is stopped where it ends MPI; alarms come in a hundredth of their time
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

const char* misbehaviour() {
  static const char* const text = std::getenv("MISBEHAVIOUR");
  return text == nullptr ? "" : text;
}

bool is_over_quota(int descriptor, off_t end) {
  if (std::strncmp(misbehaviour(), "quota ", 6) != 0) return false;
  static const long long quota = std::atoll(misbehaviour() + 6);
  struct stat status {};
  return end > quota && ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

off_t position(int descriptor) {
  struct stat status {};
  const bool appends = (::fcntl(descriptor, F_GETFL) & O_APPEND) != 0;
  if (appends && ::fstat(descriptor, &status) == 0) return status.st_size;
  return ::lseek(descriptor, 0, SEEK_CUR);
}

time_t seconds_back() {
  static std::atomic<time_t> seconds = 0;
  return std::strcmp(misbehaviour(), "clock") == 0 ? seconds += 3600 : 0;
}

bool stops_rank_1() {
  return std::strcmp(misbehaviour(), "stopped") == 0;
}

template <typename Result>
Result refuse(int error_number = EDQUOT) {
  errno = error_number;
  return -1;
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* data, size_t count) {
  static const auto next = real<decltype(write)>("write");
  if (is_over_quota(descriptor, position(descriptor) + static_cast<off_t>(count))) return refuse<ssize_t>();
  return next(descriptor, data, count);
}

ssize_t pwrite64(int descriptor, const void* data, size_t count, off64_t offset) {
  static const auto next = real<decltype(pwrite64)>("pwrite64");
  if (is_over_quota(descriptor, offset + static_cast<off_t>(count))) return refuse<ssize_t>();
  return next(descriptor, data, count, offset);
}

ssize_t pwrite(int descriptor, const void* data, size_t count, off_t offset) {
  return pwrite64(descriptor, data, count, offset);
}

int fallocate(int descriptor, int mode, off_t offset, off_t count) {
  static const auto next = real<decltype(fallocate)>("fallocate");
  if (is_over_quota(descriptor, offset + count)) return refuse<int>();
  return next(descriptor, mode, offset, count);
}

int flock(int descriptor, int operation) noexcept {
  static const auto next = real<int(int, int)>("flock");
  return std::strcmp(misbehaviour(), "locks") == 0 ? refuse<int>(ENOSYS) : next(descriptor, operation);
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static const auto next = real<int(clockid_t, timespec*)>("clock_gettime");
  const int code = next(clock, now);
  if (code == 0 && clock == CLOCK_REALTIME) now->tv_sec -= seconds_back();
  return code;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(timeval* out, void*) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

int MPI_Finalize() {
  static const auto next = real<int()>("MPI_Finalize");
  const char* const rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (stops_rank_1() && rank != nullptr && std::strcmp(rank, "1") == 0) std::raise(SIGSTOP);
  return next();
}

unsigned alarm(unsigned seconds) noexcept {
  static const auto next = real<unsigned(unsigned)>("alarm");
  return next(stops_rank_1() ? (seconds + 99) / 100 : seconds);
}

}  // extern "C"
