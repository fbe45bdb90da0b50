// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/measurement.hpp"

#include <chrono>
#include <optional>

#include "readbench/latencies.hpp"
#include "readbench/page_cache.hpp"

namespace whorl::readbench {

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Batch {
  std::int64_t images = 0;
  Arena stored, pixels;
};

/// Reads what one rank reads in one turn.
class RankReading {
 public:
  RankReading(Source& source, const Configuration& configuration, const dataset::RankOrder::Options& order,
              const mpi::Communicator& comm)
      : source_(source),
        configuration_(configuration),
        order_(order, source.count(), comm.size(), comm.rank(),
               [&source](Range range) { source.will_need(range); }),
        samples_(static_cast<std::size_t>(configuration.batch)) {}

  void run() {
    const auto start = Clock::now();
    if (configuration_.prefetch > 0) {
      Prefetcher<Batch> ahead(configuration_.prefetch, [this](Batch& batch) { return fill(batch); });
      while (const Batch* batch = ahead.next()) images += batch->images;
      stalls = ahead.stalls();
    } else {
      for (Batch batch; fill(batch);) images += batch.images;
    }
    seconds = seconds_since(start);
  }

  std::int64_t images = 0, stored_bytes = 0, decoded_bytes = 0;
  double seconds = 0;
  Latencies latencies;
  Stalls stalls;

 private:
  bool fill(Batch& batch) {
    if (filled_ == configuration_.batches || order_.per_epoch() == 0) return false;
    ++filled_;
    for (std::int64_t& sample : samples_) sample = order_.next();
    batch.stored.clear();
    batch.pixels.clear();
    batch.images = std::ssize(samples_);
    for (std::size_t i = 0; i < samples_.size();) i += read_run(i, batch);
    source_.require_unchanged();
    stored_bytes += static_cast<std::int64_t>(batch.stored.size());
    decoded_bytes += static_cast<std::int64_t>(source_.decodes() ? batch.pixels.size() : batch.stored.size());
    return true;
  }

  /// Reads the picture samples_[i] and the neighbours that follow it, where they come at once; returns how
  /// many.
  std::size_t read_run(std::size_t i, Batch& batch) {
    std::size_t count = 1;
    if (source_.fetches_runs())
      while (i + count < samples_.size() &&
             samples_[i + count] == samples_[i] + static_cast<std::int64_t>(count))
        ++count;
    const auto start = Clock::now();
    const auto stored = source_.fetch(samples_[i], static_cast<std::int64_t>(count), batch.stored);
    if (configuration_.decode && source_.decodes()) source_.decode(stored, batch.pixels);
    const auto n = static_cast<std::int64_t>(count);
    latencies.add(seconds_since(start) / static_cast<double>(n), n);
    return count;
  }

  Source& source_;
  const Configuration& configuration_;
  dataset::RankOrder order_;
  std::vector<std::int64_t> samples_;
  int filled_ = 0;
};

/// Drops the files from the page cache of every node; returns how much of them is there nevertheless, on the
/// fullest. Collective.
double make_cold(const Source& source, const mpi::Communicator& comm, const mpi::Communicator& node) {
  double fraction = 0;
  mpi::together(comm, [&] {
    if (!node.is_root()) return;
    const std::vector<std::string> files = source.files();
    drop_from_cache(files);
    fraction = residency(files).fraction();
  });
  return comm.max(fraction);
}

void reduce(const RankReading& mine, const mpi::Communicator& comm, Measurement& result) {
  result.images = comm.sum(mine.images);
  result.stored_bytes = comm.sum(mine.stored_bytes);
  result.decoded_bytes = comm.sum(mine.decoded_bytes);
  result.seconds = comm.max(mine.seconds);
  result.imbalance = result.seconds / (comm.sum(mine.seconds) / comm.size()) - 1;
  const double rate = static_cast<double>(mine.images) / mine.seconds;
  result.rank_rate = {comm.min(rate), comm.sum(rate) / comm.size(), comm.max(rate)};
  Latencies latencies = mine.latencies;
  latencies.sum_over(comm);
  result.p50 = latencies.percentile(0.5);
  result.p90 = latencies.percentile(0.9);
  result.p99 = latencies.percentile(0.99);
  result.stalls = {comm.sum(mine.stalls.count), comm.sum(mine.stalls.seconds)};
}

Usage sum_over(const Usage& usage, const mpi::Communicator& comm) {
  return {comm.sum(usage.user_seconds), comm.sum(usage.system_seconds), comm.sum(usage.disk_bytes),
          comm.sum(usage.major_faults), comm.sum(usage.queue_seconds)};
}

}  // namespace

bool Measurement::cache_as_asked() const {
  return configuration.cache == Cache::cold ? resident <= 0.01 : usage.disk_bytes == 0;
}

Bench::Bench(const Study& study, const mpi::Communicator& comm)
    : study_(study), comm_(comm), facts_(study.sources.size()) {
  mpi::together(comm, [&] {
    const std::int64_t memory = available_memory();
    for (std::size_t i = 0; i < facts_.size(); ++i) {
      const auto& source = first_opened_.emplace_back(open_source(study.sources[i], study.size));
      const std::vector<std::string> files = source->files();
      const std::int64_t bytes = residency(files).total;
      facts_[i] = {source->count(), bytes, std::ssize(files), bytes < memory};
    }
  });
  for (SourceFacts& fact : facts_) fact.fits_in_memory = comm.min(fact.fits_in_memory ? 1 : 0) == 1;
}

// A source is opened for each turn, so that none has an advantage from what it kept of the turns before.
Measurement Bench::measure_turn(const Turn& turn, const mpi::Communicator& node) {
  const Configuration& configuration = turn.configuration;
  const dataset::RankOrder::Options order{
      configuration.order, study_.seed + static_cast<std::uint64_t>(turn.repeat), study_.window};
  Measurement result{.configuration = configuration, .repeat = turn.repeat};
  std::unique_ptr<Source> source;
  std::optional<RankReading> reading;
  Usage usage;
  const auto read_once = [&] {
    reading.emplace(*source, configuration, order, comm_);
    const Usage before = usage_now();
    reading->run();
    usage = usage_now() - before;
  };
  const auto start = Clock::now();
  mpi::together(comm_, [&] {
    first_opened_[configuration.source]->require_unchanged();
    source = open_source(study_.sources[configuration.source], study_.size);
  });
  result.open_seconds = comm_.max(seconds_since(start));
  if (configuration.cache == Cache::cold)
    result.resident = make_cold(*source, comm_, node);
  else
    mpi::together(comm_, read_once);  // the same pictures, not counted
  comm_.barrier();
  mpi::together(comm_, read_once);
  reduce(*reading, comm_, result);
  result.usage = sum_over(usage, comm_);
  return result;
}

std::vector<Measurement> Bench::measure(const std::function<void(const Measurement&)>& done) {
  mpi::Communicator node = comm_.split_by_node();
  std::vector<Measurement> results;
  for (const Turn& turn : plan_turns(study_)) {
    results.push_back(measure_turn(turn, node));
    results.back().turn = static_cast<int>(std::ssize(results));
    done(results.back());
  }
  node.close();
  return results;
}

}  // namespace whorl::readbench
