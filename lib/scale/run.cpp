// SPDX-License-Identifier: BSD-3-Clause
#include "scale/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/activity.hpp"
#include "base/error.hpp"
#include "base/file_lock.hpp"
#include "base/file_system.hpp"
#include "base/progress.hpp"
#include "doctor/links.hpp"
#include "mpi/cores.hpp"
#include "report/environment.hpp"
#include "report/json.hpp"
#include "report/run_record.hpp"
#include "scale/placement.hpp"
#include "scale/workload.hpp"

namespace whorl::scale {

namespace {

namespace fs = std::filesystem;

/// Measures the link between nodes and adds this start to starts.json. Returns its number, from 1 on, on rank
/// 0. Collective.
int record_start(const mpi::Communicator& world, const fs::path& file) {
  const std::vector<report::RankPlace> places = report::rank_places(world);
  const std::optional<doctor::PairTime> link = doctor::link_between_nodes(world, doctor::layout_of(world));
  int number = 0;
  mpi::on_root(world, [&] {
    auto starts = nlohmann::ordered_json::array();
    if (fs::exists(file)) starts = report::read_json(file);
    nlohmann::ordered_json start{{"started", report::utc_now()}};
    for (const auto& [name, version] : report::versions()) start["versions"][name] = version;
    for (const report::RankPlace& place : places)
      start["ranks"].push_back({{"host", place.host}, {"cpus", place.cpus}});
    if (link)
      start["between_nodes"] = {{"latency_seconds", link->latency}, {"bytes_per_second", link->bandwidth}};
    starts.push_back(start);
    write_file_atomically(file, starts.dump(1) + "\n");
    number = static_cast<int>(starts.size());
  });
  return number;
}

/// Makes the folder ready on rank 0, and keeps others from it.
std::unique_ptr<FileLock> open_folder(const Study& study, const fs::path& folder, bool continues) {
  fs::create_directories(folder);
  auto lock = FileLock::take(folder / report::lock_file_name);
  require(lock != nullptr, "another whorl-scale is writing to {}; wait for it, or choose another --run DIR",
          folder.string());
  const fs::path file = folder / "study.ini";
  if (continues) {
    require(read_text_file(file) == resolved_text(study),
            "{} is the folder of another study (its study.ini differs); continue with --study {} or choose "
            "another --run DIR",
            folder.string(), file.string());
  } else {
    write_file_atomically(file, resolved_text(study));
  }
  return lock;
}

/// On every rank, from rank 0's file. Collective.
std::vector<Row> read_on_all(const mpi::Communicator& world, const fs::path& file) {
  std::string text;
  mpi::on_root(world, [&] { text = read_text_file(file); });
  world.broadcast(text);
  std::vector<Row> rows;
  mpi::together(world, [&] { rows = parse_rows(text, file.string()); });
  return rows;
}

/// Makes one timing on the point's ranks while the others sleep. The row is rank 0's.
Row time_point(const mpi::Communicator& world, const Workloads& workloads, const NodeOfRank& nodes,
               const Timing& timing) {
  const std::vector<int> ranks = place(nodes, timing.point.ranks, timing.point.placement);
  const bool active = std::binary_search(ranks.begin(), ranks.end(), world.rank());
  mpi::Communicator part = world.split(active ? 0 : 1, world.rank());
  Row row;
  std::string failure;
  const std::string started = report::utc_now();
  if (active) {
    try {
      row = workloads.time(timing.point, part);
    } catch (const CollectiveError& error) {
      failure = error.what();
    }
  }
  row.timing = timing;
  row.started = started;
  set_activity("waiting for the ranks that are timed");
  mpi::wait_asleep(world);
  mpi::agree(world, failure);
  part.close();
  return row;
}

std::string describe(const Point& point) {
  return fmt::format(
      "{} {}, {} rank{}{}{}", point.workload, point.scaling, point.ranks, point.ranks == 1 ? "" : "s",
      point.nodes > 1 ? fmt::format(" on {} nodes ({})", point.nodes, placement_text(point.placement)) : "",
      point.batch > 0 ? fmt::format(", batch {}, {}", point.batch, point.all_reduce) : "");
}

/// Threads that share a CPU would be taken for bad scaling. Collective.
void require_cpus(const mpi::Communicator& world, const std::vector<Point>& points) {
  const int cpus = world.min(static_cast<int>(mpi::bound_cpus().size()));
  for (const Point& point : points) {
    if (point.threads > cpus)
      throw UsageError(
          "{} threads of a rank are to be timed, but some rank may use {} CPU{} only: start with "
          "jobs/launch.sh --threads {}, or study fewer (study.threads)",
          point.threads, cpus, cpus == 1 ? "" : "s", point.threads);
  }
}

}  // namespace

std::vector<Row> run_study(const mpi::Communicator& world, const Study& study, const fs::path& folder,
                           bool resume) {
  int continues = 0;
  mpi::on_root(world, [&] {
    const bool is_begun = fs::exists(folder / "study.ini");
    require(resume || !is_begun,
            "{} is not empty: it holds a study, which --resume continues; or choose another --run DIR",
            folder.string());
    continues = is_begun ? 1 : 0;
  });
  world.broadcast(std::span(&continues, 1));
  if (continues == 0) report::choose_run_folder(world, folder.string(), "");
  const Workloads workloads(world, study, folder);
  const NodeOfRank nodes = mpi::nodes_of_ranks(world);
  const std::vector<Point> points = points_of(study, nodes, workloads.defaults());
  require_cpus(world, points);
  for (const Point& point : points) workloads.require_possible(point);
  const std::vector<Timing> timings = timings_of(points, study.repeats, study.seed);

  std::unique_ptr<FileLock> lock;
  mpi::on_root(world, [&] { lock = open_folder(study, folder, continues == 1); });
  const fs::path file = folder / "rows.csv";
  std::optional<RowFile> output;
  mpi::on_root(world, [&] { output.emplace(file); });
  std::set<Timing> done;
  for (const Row& row : read_on_all(world, file)) done.insert(row.timing);
  const int start = record_start(world, folder / "starts.json");

  Progress progress("study", "timings", std::ssize(timings), world.is_root());
  std::int64_t count = 0;
  for (const Timing& timing : timings) {
    if (!done.contains(timing)) {
      Row row = time_point(world, workloads, nodes, timing);
      row.start = start;
      mpi::on_root(world, [&] { output->append(row); });
      progress.note(fmt::format("{}: {:.0f} pictures/s", describe(timing.point), row.throughput()));
    }
    progress.update(++count);
  }
  progress.finish();
  return read_on_all(world, file);
}

}  // namespace whorl::scale
