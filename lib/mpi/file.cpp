// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/file.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/file_system.hpp"
#include "mpi/check.hpp"

namespace whorl::mpi {

namespace {

// Bytes that an operation moved; MPI reports short transfers only there.
std::size_t moved(const MPI_Status& status) {
  int count = 0;
  check(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
  return count == MPI_UNDEFINED ? 0 : static_cast<std::size_t>(count);
}

}  // namespace

File::File(MPI_File file, MPI_Comm comm, std::string path, std::int64_t step)
    : file_(file), comm_(comm), path_(std::move(path)), step_(step) {}

File File::open(const Communicator& comm, const std::string& path, Mode mode, std::int64_t step) {
  require(step > 0 && step <= (std::int64_t{1} << 30), "transfers of {} bytes are not possible", step);
  // The system is asked first: it knows the cause, and MPI_File_open may fail on some ranks alone.
  if (mode == Mode::create) on_root(comm, [&] { create_empty_file(path); });
  if (mode == Mode::read) together(comm, [&] { require_readable(path); });
  MPI_File file = MPI_FILE_NULL;
  const int code =
      MPI_File_open(comm.get(), path.c_str(), mode == Mode::create ? MPI_MODE_WRONLY : MPI_MODE_RDONLY,
                    MPI_INFO_NULL, &file);
  together(comm, [&] { check(code, "MPI_File_open", path.c_str()); });
  return {file, comm.get(), path, step};
}

File::File(File&& other) noexcept
    : file_(std::exchange(other.file_, MPI_FILE_NULL)),
      comm_(other.comm_),
      path_(std::move(other.path_)),
      step_(other.step_) {}

File& File::operator=(File&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(comm_, other.comm_);
  std::swap(path_, other.path_);
  std::swap(step_, other.step_);
  return *this;
}

File::~File() {
  if (file_ != MPI_FILE_NULL && std::uncaught_exceptions() == 0) MPI_File_close(&file_);
}

void File::close() {
  if (file_ == MPI_FILE_NULL) return;
  check(MPI_File_close(&file_), "MPI_File_close", path_.c_str());
}

std::int64_t File::size() const {
  MPI_Offset size = 0;
  check(MPI_File_get_size(file_, &size), "MPI_File_get_size", path_.c_str());
  return size;
}

void File::read_at(std::int64_t offset, std::span<std::byte> out) const {
  require_inside(offset, out.size());
  while (!out.empty()) {
    const auto part = out.first(std::min(out.size(), static_cast<std::size_t>(step_)));
    MPI_Status status;
    check(MPI_File_read_at(file_, offset, part.data(), static_cast<int>(part.size()), MPI_BYTE, &status),
          "MPI_File_read_at", path_.c_str());
    require_whole(status, part.size());
    offset += static_cast<std::int64_t>(part.size());
    out = out.subspan(part.size());
  }
}

// Cost: ceil(longest part / step) collective reads, and one all-reduce to agree on that number.
void File::read_at_all(std::int64_t offset, std::span<std::byte> out) const {
  // Not left to the status: ROMIO's is wrong where it exchanges data between ranks. Agreed, so that no rank
  // waits for another.
  together(Communicator::refer_to(comm_), [&] { require_inside(offset, out.size()); });
  std::int64_t rounds = (static_cast<std::int64_t>(out.size()) + step_ - 1) / step_;
  check(MPI_Allreduce(MPI_IN_PLACE, &rounds, 1, MPI_INT64_T, MPI_MAX, comm_), "MPI_Allreduce");
  for (; rounds > 0; --rounds) {
    const auto part = out.first(std::min(out.size(), static_cast<std::size_t>(step_)));
    MPI_Status status;
    check(MPI_File_read_at_all(file_, offset, part.data(), static_cast<int>(part.size()), MPI_BYTE, &status),
          "MPI_File_read_at_all", path_.c_str());
    require_whole(status, part.size());
    offset += static_cast<std::int64_t>(part.size());
    out = out.subspan(part.size());
  }
}

void File::write_at(std::int64_t offset, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), static_cast<std::size_t>(step_)));
    MPI_Status status;
    const int code =
        MPI_File_write_at(file_, offset, part.data(), static_cast<int>(part.size()), MPI_BYTE, &status);
    const std::size_t written = code == MPI_SUCCESS ? moved(status) : 0;
    require(written == part.size(), "wrote only {} of {} bytes at {} of {}{}", written, part.size(), offset,
            path_, disk_full_note(path_));
    offset += static_cast<std::int64_t>(written);
    bytes = bytes.subspan(part.size());
  }
}

void File::require_whole(const MPI_Status& status, std::size_t wanted) const {
  if (wanted == 0) return;
  const std::size_t got = moved(status);
  require(got == wanted, "read only {} of {} bytes of {}; did the file change?", got, wanted, path_);
}

void File::require_inside(std::int64_t offset, std::size_t count) const {
  const std::int64_t total = size();
  require(offset >= 0 && offset <= total && static_cast<std::int64_t>(count) <= total - offset,
          "{} has {} bytes; {} bytes from {} on do not exist", path_, total, count, offset);
}

}  // namespace whorl::mpi
