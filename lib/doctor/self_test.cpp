// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/self_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "base/progress.hpp"
#include "h5/file.hpp"
#include "mpi/file.hpp"

namespace whorl::doctor {

namespace {

constexpr std::size_t values_a_rank = 65'536;

int count_wrong(const mpi::Communicator& comm, const std::vector<std::int32_t>& read) {
  const std::vector<std::int32_t> expected = pattern_of(author_for(comm.rank(), comm.size()));
  const int same =
      std::inner_product(read.begin(), read.end(), expected.begin(), 0, std::plus<>(), std::equal_to<>());
  return static_cast<int>(values_a_rank) - same;
}

}  // namespace

std::vector<std::int32_t> pattern_of(int rank) {
  std::vector<std::int32_t> values(values_a_rank);
  std::iota(values.begin(), values.end(), static_cast<std::int32_t>(values_a_rank) * rank + 1);
  return values;
}

int author_for(int rank, int ranks) {
  return (rank + std::max(1, ranks / 2)) % ranks;
}

std::vector<int> write_and_read_by_mpi_io(const mpi::Communicator& comm, const std::filesystem::path& path) {
  constexpr auto part = static_cast<std::int64_t>(values_a_rank * sizeof(std::int32_t));
  const std::vector<std::int32_t> mine = pattern_of(comm.rank());
  mpi::File output = mpi::File::open(comm, path.string(), mpi::File::Mode::create);
  mpi::together(comm, [&] { output.write_at(part * comm.rank(), std::as_bytes(std::span(mine))); });
  output.close();
  std::vector<std::int32_t> read(values_a_rank);
  mpi::File input = mpi::File::open(comm, path.string(), mpi::File::Mode::read);
  input.read_at_all(part * author_for(comm.rank(), comm.size()), std::as_writable_bytes(std::span(read)));
  input.close();
  return comm.all_gather(count_wrong(comm, read));
}

std::vector<int> write_and_read_by_hdf5(const mpi::Communicator& comm, const std::filesystem::path& path) {
  const std::vector<std::int32_t> mine = pattern_of(comm.rank());
  const auto row = [](int rank) { return static_cast<hsize_t>(rank); };
  h5::File output = h5::File::create_parallel(comm, path);
  h5::Dataset::create<std::int32_t>(output, "values", {row(comm.size()), values_a_rank})
      .write_rows_all<std::int32_t>(row(comm.rank()), mine);
  output.close();
  std::vector<std::int32_t> read(values_a_rank);
  mpi::together(comm, [&] {
    const h5::File input = h5::File::open_read(path);
    h5::Dataset::open(input, "values")
        .read_rows<std::int32_t>(row(author_for(comm.rank(), comm.size())), read);
  });
  return comm.all_gather(count_wrong(comm, read));
}

Finding judge_self_test(const Layout& layout, const std::vector<int>& wrong) {
  const auto bad = std::ranges::find_if(wrong, [](int count) { return count > 0; });
  const int ranks = layout.size();
  if (bad == wrong.end())
    return {Level::ok,
            fmt::format("{} of every rank written, and read back right on {}",
                        format_bytes(values_a_rank * sizeof(std::int32_t)),
                        ranks == 1 ? "the same one" : "another"),
            ""};
  const int reader = static_cast<int>(bad - wrong.begin());
  return {Level::fail,
          fmt::format("{} reads {} of {} values otherwise than {} wrote them", layout.name(reader), *bad,
                      values_a_rank, layout.name(author_for(reader, ranks))),
          "do not train or ingest in this folder: it is not the same file system on both nodes, or one that "
          "MPI-IO does not work on (NFS without locks)"};
}

}  // namespace whorl::doctor
