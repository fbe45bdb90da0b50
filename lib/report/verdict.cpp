// SPDX-License-Identifier: BSD-3-Clause
#include "report/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/progress.hpp"
#include "train/trainer.hpp"

namespace whorl::report {

namespace {

namespace phase = train::phase;

constexpr std::array beside{phase::read, phase::augment, phase::all_reduce_hidden};

double computing(const std::vector<mpi::PhaseStatistics>& phases) {
  return phases[phase::forward].mean + phases[phase::backward].mean + phases[phase::optimizer].mean;
}

/// Evaluation excluded, mean over the ranks.
double training(const std::vector<mpi::PhaseStatistics>& phases) {
  double seconds = -phases[phase::evaluate].mean;
  for (const auto part : phase::on_the_clock) seconds += phases[part].mean;
  return seconds;
}

double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

std::string accuracy_lines(const RunSummary& run) {
  std::string text;
  if (run.test) {
    text += fmt::format("  test accuracy   {:.2f} % ({} of {} pictures)", 100 * run.test->top1(),
                        run.test->correct(), run.test->samples);
    if (run.tta != "none" && run.plain) {
      text += fmt::format(" with test-time augmentation ({}), {:.2f} % without", run.tta,
                          100 * run.plain->top1());
    }
    text += fmt::format("\n  test loss       {:.4f}\n", run.test->loss);
  } else {
    text += "  test accuracy   unknown: the dataset has no test pictures\n";
  }
  return text + fmt::format("  training loss   {:.4f} in the last epoch\n", run.train_loss);
}

std::string phase_line(const mpi::PhaseStatistics& phase, double whole) {
  std::string line = fmt::format("    {:<20}{:>6.1f} %  {:>12}", phase.name, percent(phase.mean, whole),
                                 format_duration(phase.mean));
  if (phase.per_rank.size() > 1) {
    line += fmt::format("   {} to {}, longest on rank {} ({})", format_duration(phase.min),
                        format_duration(phase.max), phase.slowest_rank, phase.slowest_host);
  }
  return line + "\n";
}

std::string time_table(const RunSummary& run) {
  double whole = 0;
  for (const auto part : phase::on_the_clock) whole += run.phases[part].mean;
  std::string text = fmt::format("  where the time went, mean over ranks, of {}\n", format_duration(whole));
  for (const auto part : phase::on_the_clock) text += phase_line(run.phases[part], whole);
  text += "   beside that\n";
  for (const auto part : beside) text += phase_line(run.phases[part], whole);
  return text;
}

std::string input_reason(const RunSummary& run, double share) {
  const double read = run.phases[phase::read].mean, augment = run.phases[phase::augment].mean;
  return fmt::format(
      "input: ranks wait {:.0f} % of the training time for pictures; {} takes most of the loader's time ({} "
      "of {})",
      share, read > augment ? "reading" : "augmentation", format_duration(std::max(read, augment)),
      format_duration(read + augment));
}

std::string bound(const RunSummary& run) {
  const double compute = computing(run.phases), input = run.phases[phase::input_wait].mean,
               communication = run.phases[phase::all_reduce_exposed].mean,
               waiting = run.phases[phase::rank_wait].mean, other = run.phases[phase::other].mean;
  const double train = training(run.phases);
  const double most = std::max({compute, input, communication, waiting, other});
  if (most == communication)
    return fmt::format(
        "communication: {:.0f} % of the training time goes into all-reduces that computation does not hide",
        percent(communication, train));
  if (most == waiting)
    return fmt::format(
        "imbalance: ranks and threads wait {:.0f} % of the training time for the slowest of each step",
        percent(waiting, train));
  if (most == input) return input_reason(run, percent(input, train));
  if (most == other)
    return fmt::format(
        "other: {:.0f} % of the training time goes into checkpoints, the set-up of epochs and, with a GPU, "
        "what "
        "the host does between steps",
        percent(other, train));
  return fmt::format(
      "computation: forward, backward and optimizer take {:.0f} % of the training time, waiting for pictures "
      "{:.0f} %, communication {:.0f} %, waiting for ranks {:.0f} %",
      percent(compute, train), percent(input, train), percent(communication, train), percent(waiting, train));
}

/// What each GPU does while it trains, beside what it can do.
std::string roofline(const RunSummary& run) {
  const double flops = run.training_flops * pictures_per_second(run),
               traffic = run.traffic_per_picture * pictures_per_second(run);
  return fmt::format(
      "  roofline        {:.1f} TFLOP/s in convolutions and linear layers on each GPU while it "
      "trains, {:.0f} % of the {:.1f} of large {} products;\n"
      "                  {:.0f} GB/s of activations read and written, caches included, {:.0f} % of the "
      "{:.0f} of large copies in its memory\n",
      flops * 1e-12, percent(flops, run.gpu_ceilings.flops), run.gpu_ceilings.flops * 1e-12, run.precision,
      traffic * 1e-9, percent(traffic, run.gpu_ceilings.bytes), run.gpu_ceilings.bytes * 1e-9);
}

}  // namespace

Imbalance imbalance_of(const std::vector<mpi::PhaseStatistics>& phases) {
  std::vector<double> seconds = phases[phase::forward].per_rank;
  for (std::size_t rank = 0; rank < seconds.size(); ++rank) {
    seconds[rank] += phases[phase::backward].per_rank[rank] + phases[phase::optimizer].per_rank[rank];
  }
  if (seconds.empty()) return {};
  const auto slowest = std::max_element(seconds.begin(), seconds.end());
  const double mean =
      std::accumulate(seconds.begin(), seconds.end(), 0.0) / static_cast<double>(seconds.size());
  Imbalance result;
  result.excess = mean > 0 ? *slowest / mean - 1 : 0;
  result.rank = static_cast<int>(slowest - seconds.begin());
  return result;
}

std::optional<double> hidden_share(const std::vector<mpi::PhaseStatistics>& phases) {
  const double hidden = phases[phase::all_reduce_hidden].mean,
               exposed = phases[phase::all_reduce_exposed].mean;
  if (phases[phase::forward].per_rank.size() < 2 || hidden + exposed <= 0) return std::nullopt;
  return hidden / (hidden + exposed);
}

double pictures_per_second(const RunSummary& run) {
  const double seconds = training(run.phases);
  const auto ranks = static_cast<double>(run.phases[phase::forward].per_rank.size());
  return seconds > 0 ? static_cast<double>(run.images) / ranks / seconds : 0;
}

std::string verdict(const RunSummary& run) {
  const std::size_t ranks = run.phases[phase::forward].per_rank.size();
  std::string text = "Verdict\n" + accuracy_lines(run);
  text += fmt::format(
      "  speed           {:.0f} images/s in training on {} rank{}, {} thread{} each; training took {}, "
      "set-up {}\n",
      static_cast<double>(run.images) / std::max(run.train_seconds, 1e-9), ranks, ranks == 1 ? "" : "s",
      run.threads, run.threads == 1 ? "" : "s", format_duration(run.train_seconds),
      format_duration(run.setup_seconds));
  if (run.resumed_at_step > 0)
    text += fmt::format("  resumed         after step {}; times are of what was done since\n",
                        run.resumed_at_step);
  text += time_table(run);
  text += fmt::format("  bound by        {}\n", bound(run));
  if (run.gpu_ceilings.flops > 0) text += roofline(run);
  if (ranks > 1) {
    const Imbalance imbalance = imbalance_of(run.phases);
    text += fmt::format("  imbalance       {:.1f} %: rank {} ({}) computes longest\n", 100 * imbalance.excess,
                        imbalance.rank, run.hosts[static_cast<std::size_t>(imbalance.rank)]);
  }
  if (ranks > 1) text += fmt::format("  all-reduce      {}\n", run.all_reduce);
  if (const auto hidden = hidden_share(run.phases)) {
    text += fmt::format("  communication   {:.0f} % of it hidden behind computation, {:.3f} s exposed\n",
                        100 * *hidden, run.phases[phase::all_reduce_exposed].mean);
  }
  return text;
}

}  // namespace whorl::report
