// SPDX-License-Identifier: BSD-3-Clause
// Writes more into an HDF5 file than a small disk holds, in the way that its argument names; see
// full_disk_test.sh.
#include <string>
#include <vector>

#include "h5/file.hpp"
#include "mpi/session.hpp"

namespace {

constexpr hsize_t row_size = 1 << 16;

void fill(const whorl::mpi::Communicator& world, const std::string& how, hsize_t rows) {
  using namespace whorl;
  h5::File file = h5::File::create_parallel(world, "disk/full.h5");
  const auto ranks = static_cast<hsize_t>(world.size());
  const h5::Dataset dataset =
      h5::Dataset::create<std::uint8_t>(file, "train/images", {rows * ranks, row_size});
  const std::vector<std::uint8_t> row(row_size, 7);
  for (hsize_t i = 0; i < rows; ++i) {
    const hsize_t index = i * ranks + static_cast<hsize_t>(world.rank());
    if (how == "collective") dataset.write_rows_all(index, std::span<const std::uint8_t>(row));
    if (how == "independent") dataset.write_rows(index, std::span<const std::uint8_t>(row));
  }
  if (how == "attributes") {
    for (int i = 0; i < 600; ++i) {
      h5::write_attribute(file, "train/images", "note " + std::to_string(i), std::string(5000, 'x'));
    }
  }
  file.close();
}

}  // namespace

int main(int argc, char** argv) {
  return whorl::mpi::run_main(argc, argv, "filling-program",
                              [](whorl::mpi::Communicator& world, int count, char** arguments) {
                                whorl::require(count == 3, "usage: filling-program WAY ROWS");
                                fill(world, arguments[1], static_cast<hsize_t>(std::stoul(arguments[2])));
                                return 0;
                              });
}
