// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/recipe.hpp"

#include "base/error.hpp"
#include "h5/file.hpp"

namespace whorl::ingest {

std::string recipe_of(const Manifest& manifest, int size, dataset::Storage storage, int quality) {
  const std::string form =
      storage == dataset::Storage::pixels ? "pixels" : fmt::format("JPEG of quality {}", quality);
  return fmt::format("whorl {}, {} pictures {}, {} x {}, stored as {}", WHORL_VERSION, manifest.items.size(),
                     manifest.digest(), size, size, form);
}

bool is_made_by(const mpi::Communicator& comm, const std::filesystem::path& result,
                const std::string& recipe) {
  int found = 0;
  mpi::on_root(comm, [&] {
    if (!std::filesystem::exists(result)) return;
    const h5::File file = h5::File::open_read(result);
    found = h5::has_attribute(file, "/", "recipe") && h5::read_text_attribute(file, "/", "recipe") == recipe;
    require(found == 1,
            "{} exists already, made from other pictures or otherwise; choose another name, or replace it "
            "with --overwrite",
            result.string());
  });
  return comm.max(found) == 1;
}

}  // namespace whorl::ingest
