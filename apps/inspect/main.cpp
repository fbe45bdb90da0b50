// SPDX-License-Identifier: BSD-3-Clause
// whorl-inspect: shows what a dataset file holds.
#include <fmt/core.h>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "dataset/integrity.hpp"
#include "mpi/session.hpp"
#include "options.hpp"
#include "schema.hpp"
#include "sheet.hpp"
#include "summary.hpp"

namespace whorl::inspect {
namespace {

void show(const Options& options) {
  const dataset::Reader reader(options.file);
  const auto& info = reader.info();
  fmt::print("{}: {} pictures of {} x {} pixels in {} classes, stored as {}\n", reader.path(),
             info.train_count + info.test_count, info.image_size, info.image_size, info.class_names.size(),
             dataset::to_string(info.storage));
  print_schema(options.file);
  print_class_counts(reader);
  print_channel_statistics(info);
  print_rows(reader, options.split, options.rows);
  print_rejects(reader, options.all_rejects);
  if (options.sheet.empty()) return;
  const int pictures = write_sheet(reader, options.split, options.sheet);
  fmt::print("\ncontact sheet of {} pictures: {}\n", pictures, options.sheet.string());
}

// Every rank looks at a part of the pictures.
void verify(const mpi::Communicator& world, const std::filesystem::path& path) {
  std::string mine;
  std::int64_t pictures = 0;
  bool is_laid_out_anew = false;
  mpi::together(world, [&] {
    const dataset::Reader reader(path);
    pictures = reader.info().train_count + reader.info().test_count;
    is_laid_out_anew = reader.is_laid_out_anew();
    for (const std::string& place : dataset::find_damage(reader, world.size(), world.rank()))
      mine += "\n  " + printable(place);
  });
  std::string all;
  for (const std::string& places : world.all_gather(mine)) all += places;
  if (!all.empty()) throw CollectiveError("{} is damaged:{}", path.string(), all);
  if (world.is_root())
    fmt::print("{}: all {} pictures {}\n", path.string(), pictures,
               is_laid_out_anew
                   ? "are as they were written; of everything else nothing can be said, as another program "
                     "has laid the file out anew"
                   : "and everything else are as they were written");
}

int run(const mpi::Communicator& world, int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  if (world.size() > 1 && !options.verify)
    throw UsageError("whorl-inspect is one process, but for --verify; start it without mpirun");
  if (!options.help.empty()) {
    fmt::print("{}", options.help);
    return 0;
  }
  if (options.verify) {
    verify(world, options.file);
    return 0;
  }
  try {
    show(options);
  } catch (const Error& error) {
    throw CollectiveError("{}", error.what());  // the only process is all of them: no MPI_Abort, no noise
  }
  return 0;
}

}  // namespace
}  // namespace whorl::inspect

int main(int argc, char** argv) {
  return whorl::mpi::run_main(argc, argv, "whorl-inspect", whorl::inspect::run);
}
