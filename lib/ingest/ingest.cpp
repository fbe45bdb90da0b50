// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/ingest.hpp"

#include <fmt/core.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "dataset/integrity.hpp"
#include "dataset/reader.hpp"
#include "ingest/cifar.hpp"
#include "ingest/journal.hpp"
#include "ingest/leftover.hpp"
#include "ingest/manifest.hpp"
#include "ingest/output_files.hpp"
#include "ingest/picture_store.hpp"
#include "ingest/recipe.hpp"
#include "ingest/reject.hpp"
#include "ingest/scan.hpp"
#include "ingest/tables.hpp"
#include "ingest/worker.hpp"
#include "mpi/watchdog.hpp"

namespace whorl::ingest {

namespace {

using dataset::Split;
using dataset::Storage;

constexpr std::size_t most_lines = 20;  // of notes or rejects in the log

void log(const mpi::Communicator& comm, const std::string& text) {
  if (comm.is_root()) fmt::print(stderr, "{}\n", text);
}

// One process reads headers and folders; the others get the result.
Manifest scan_once(const mpi::Communicator& comm, const Options& options, const OutputFiles& output) {
  std::string bytes;
  mpi::on_root(comm, [&] {
    const Scan found = scan({options.inputs, options.test_fraction, options.seed, output.scratch()});
    for (std::size_t i = 0; i < std::min(most_lines, found.notes.size()); ++i) log(comm, found.notes[i]);
    if (found.notes.size() > most_lines)
      log(comm, fmt::format("... and {} more notes", found.notes.size() - most_lines));
    bytes = serialise(found.manifest);
  });
  comm.broadcast(bytes);
  return deserialise(bytes);
}

void check_rejects(const std::vector<Reject>& rejects, const Manifest& manifest, double most) {
  if (static_cast<double>(rejects.size()) <= most) return;
  const auto count = static_cast<double>(manifest.items.size());
  throw CollectiveError(
      "{} of {} pictures cannot be used, more than the {:.0f} that --max-rejects {} allows; "
      "--max-rejects {:.2f} does:{}",
      rejects.size(), manifest.items.size(), std::floor(most), most / count,
      std::ceil(100 * static_cast<double>(rejects.size()) / count) / 100,
      list_rejects(rejects, manifest, most_lines));
}

Contents leave_out(const Manifest& manifest, const std::vector<Reject>& rejects) {
  Contents contents;
  auto rejected = rejects.begin();
  for (std::int64_t i = 0; i < std::ssize(manifest.items); ++i) {
    if (rejected != rejects.end() && rejected->item == i) {
      ++rejected;
    } else {
      contents.items[manifest.items[i].split == Split::train ? 0 : 1].push_back(i);
    }
  }
  return contents;
}

Summary summarise(const Manifest& manifest, const Contents& contents, std::size_t rejected) {
  Summary summary;
  summary.class_names = manifest.class_names;
  summary.rejected = static_cast<std::int64_t>(rejected);
  for (std::size_t split = 0; split < 2; ++split) {
    summary.class_counts[split].resize(manifest.class_names.size());
    for (const std::int64_t item : contents.items[split])
      ++summary.class_counts[split][manifest.items[item].label];
  }
  for (const Item& item : manifest.items) summary.source_bytes += item.size;
  return summary;
}

void warn(const mpi::Communicator& comm, const Summary& summary, const Contents& contents) {
  if (summary.class_names.size() == 1)
    log(comm, "warning: there is only one class, " + printable(summary.class_names[0]));
  for (const Split split : {Split::train, Split::test}) {
    if (contents.of(split).empty())
      log(comm, fmt::format("warning: there are no {} pictures", dataset::to_string(split)));
  }
  for (std::size_t i = 0; i < summary.class_names.size(); ++i) {
    if (summary.class_counts[0][i] + summary.class_counts[1][i] > 0) continue;
    log(comm, fmt::format("warning: no picture of class {} is left", printable(summary.class_names[i])));
  }
}

// Of a file that is there already.
Summary summarise(const dataset::Reader& reader) {
  Summary summary;
  summary.class_names = reader.info().class_names;
  summary.rejected = std::ssize(reader.rejects());
  for (const Split split : {Split::train, Split::test}) {
    auto& counts = summary.class_counts[split == Split::train ? 0 : 1];
    counts.resize(summary.class_names.size());
    for (const std::int32_t label : reader.labels(split)) ++counts[static_cast<std::size_t>(label)];
  }
  return summary;
}

Journal start_journal(const mpi::Communicator& comm, const OutputFiles& output, const std::string& recipe,
                      Storage storage) {
  const auto data = storage == Storage::pixels ? output.pictures() : output.spool(comm.rank());
  std::optional<Journal> journal;
  mpi::together(comm,
                [&] { journal.emplace(output.journal(comm.rank()), recipe, data.filename().string()); });
  return std::move(*journal);
}

std::unique_ptr<PictureStore> make_store(const mpi::Communicator& comm, const Manifest& manifest,
                                         OutputFiles& output, Journal& journal, const Options& options,
                                         int size) {
  if (options.storage == Storage::jpeg)
    return make_jpeg_store(comm, manifest, output, journal, size, options.quality);
  output.require_space(std::ssize(manifest.items) * 3 * size * size);
  return make_pixel_store(comm, manifest, output, journal, size, options.block_bytes);
}

std::int64_t restore(const mpi::Communicator& comm, const Leftover& leftover, const Manifest& manifest,
                     Worker& worker) {
  if (leftover.pictures.empty()) return 0;
  const std::int64_t restored = worker.restore(leftover);
  log(comm, fmt::format("resuming: {} of {} pictures were finished before, {} remain", restored,
                        manifest.items.size(), std::ssize(manifest.items) - restored));
  if (restored < std::ssize(leftover.pictures))
    log(comm, fmt::format("warning: {} pictures that were finished before are damaged, and done again",
                          std::ssize(leftover.pictures) - restored));
  return restored;
}

Summary run(const mpi::Communicator& comm, const Options& options, OutputFiles& output,
            mpi::PhaseTimer& timer) {
  Manifest manifest;
  {
    const auto scope = enter(timer, scan_phase);
    manifest = scan_once(comm, options, output);
  }
  const int size = manifest.encoding == Encoding::cifar ? cifar_side : options.size;
  const std::string recipe = recipe_of(manifest, size, options.storage, options.quality);
  Leftover leftover;
  {
    const auto scope = enter(timer, read_phase);
    leftover = read_leftover(comm, output.leftovers(), recipe);
    output.remove_leftovers(leftover.spare);
  }
  if (options.resume && !options.overwrite && output.is_there()) {
    if (!is_made_by(comm, output.result(), recipe))
      throw CollectiveError(
          "{} exists already and is of another job; choose another name, or replace it with --overwrite",
          output.result().string());
    log(comm, output.result().string() + " is finished already");
    output.clean_up();
    return summarise(dataset::Reader(output.result()));
  }
  const double most_rejects = options.max_rejects * static_cast<double>(manifest.items.size());
  Journal journal = start_journal(comm, output, recipe, options.storage);
  const std::unique_ptr<PictureStore> store = make_store(comm, manifest, output, journal, options, size);
  Worker worker(comm, manifest, size, *store, timer);
  const std::int64_t restored = restore(comm, leftover, manifest, worker);
  worker.run(most_rejects);

  const auto scope = enter(timer, finish_phase);
  const std::vector<Reject> rejects = gather(comm, worker.rejects());
  check_rejects(rejects, manifest, most_rejects);
  if (!rejects.empty())
    log(comm,
        fmt::format("rejected {} pictures:{}", rejects.size(), list_rejects(rejects, manifest, most_lines)));
  const Contents contents = leave_out(manifest, rejects);
  worker.reduce_sums();
  h5::File& file = store->finish(contents);
  write_tables(comm, file, manifest, contents, rejects);
  write_checksums(comm, file, manifest, contents, journal);
  write_attributes(file, manifest, worker.sums(), options.storage, size, recipe);
  const std::filesystem::path finished = file.path();
  output.close_hdf5();
  mpi::on_root(comm, [&] { dataset::seal(finished); });
  output.publish(finished);
  Summary summary = summarise(manifest, contents, rejects.size());
  summary.restored = restored;
  warn(comm, summary, contents);
  return summary;
}

}  // namespace

Summary ingest(const mpi::Communicator& comm, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const mpi::Watchdog watchdog(comm, options.watchdog);
  mpi::PhaseTimer timer(phase_names);
  OutputFiles output(comm, options.output, options.overwrite, options.resume);
  try {
    Summary summary = run(comm, options, output, timer);
    mpi::on_root(comm, [&] {
      summary.file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(output.result()));
    });
    comm.broadcast(std::span(&summary.file_bytes, 1));
    summary.phases = timer.reduce(comm);
    summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return summary;
  } catch (const CollectiveError& error) {
    // All ranks are here together, so the open files can still be closed in order; left open, they would
    // break MPI_Finalize.
    output.abandon_hdf5();
    throw CollectiveError(error.what() + output.note_of_kept());
  } catch (const std::exception& error) {
    throw Error(describe(error) + output.note_of_kept());
  }
}

}  // namespace whorl::ingest
