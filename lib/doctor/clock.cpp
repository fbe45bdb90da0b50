// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>

#include "base/error.hpp"
#include "doctor/fma_rate.hpp"
#include "mpi/cores.hpp"

namespace whorl::doctor {

namespace {

constexpr double least_speed = 0.8;     // of nominal, and of the other ranks
constexpr double most_waiting = 0.1;    // share
constexpr double burst_seconds = 0.02;  // several time slices of the scheduler

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double processor_seconds() {
  timespec time{};
  const bool is_known = ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0;
  require(is_known, "cannot ask for this thread's time: {}", system_error_text(errno));
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// That this thread was ready and did not run; 0 where the kernel does not tell.
double waited_seconds() {
  double ran = 0, waited = 0;
  std::ifstream("/proc/thread-self/schedstat") >> ran >> waited;
  return 1e-9 * waited;
}

/// Calls of `work` per second of processor time, the median of five bursts.
template <typename Work>
double rate_of(Work&& work) {
  std::array<double, 5> rates{};
  for (double& rate : rates) {
    const double start = wall_seconds(), start_on_core = processor_seconds();
    double calls = 0;
    for (; wall_seconds() - start < burst_seconds; ++calls) work();
    rate = calls / (processor_seconds() - start_on_core);
  }
  std::ranges::nth_element(rates, rates.begin() + 2);
  return rates[2];
}

/// Of additions that wait for each other: one a cycle.
double cycles_per_second() {
  constexpr int additions = 20'000;
  return additions * rate_of([] {
           std::uint64_t sum = 1, term = 3;
           for (int i = 0; i < additions; ++i) {
             sum += term;
             asm volatile("" : "+r"(sum), "+r"(term));  // not to be folded
           }
         });
}

double fma_per_second() {
  constexpr std::int64_t instructions = 40'000;
  volatile float kept = 0;  // or nothing would be computed
  return instructions * rate_of([&] { kept = run_fma(instructions); });
}

std::string cpufreq(int cpu, const char* file) {
  std::string word;
  std::ifstream(fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/{}", cpu, file)) >> word;
  return word;
}

/// On x86 Linux derives "bogomips" from the frequency of the time stamp counter, which is the nominal one.
double bogomips() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("bogomips")) return std::stod(line.substr(line.find(':') + 1));
  return 0;
}

double nominal_hz(int cpu) {
  if (const std::string kilohertz = cpufreq(cpu, "base_frequency"); !kilohertz.empty())
    return 1e3 * std::stod(kilohertz);
#if defined(__x86_64__)
  return 1e6 * bogomips() / 2;
#else
  const std::string kilohertz = cpufreq(cpu, "cpuinfo_max_freq");  // without turbo on most of them
  return kilohertz.empty() ? 0 : 1e3 * std::stod(kilohertz);
#endif
}

std::string remedy(const Clock& slow) {
  if (slow.waiting > most_waiting)
    return "something else runs on its core: see the binding above, and top on that node";
  std::string text = "the processor is throttled, or shares its core with another hardware thread";
  if (!slow.governor.empty() && slow.governor != "performance")
    text += fmt::format("; its frequency governor is \"{}\", ask for \"performance\"", slow.governor);
  return text + "; if it stays, leave the node out (--exclude)";
}

}  // namespace

double Clock::fma_per_cycle() const {
  return std::max(1.0, std::round(fma_rate / now));
}

double Clock::speed() const {
  return nominal > 0 ? fma_rate / (fma_per_cycle() * nominal) : 0;
}

Clock clock_of_this_rank() {
  const int cpu = mpi::bound_cpus().front();
  Clock clock{.governor = cpufreq(cpu, "scaling_governor"), .nominal = nominal_hz(cpu)};
  clock.lanes = vector_lanes();
  const double start = wall_seconds(), waited = waited_seconds();
  clock.now = cycles_per_second();
  clock.fma_rate = fma_per_second();
  clock.waiting = (waited_seconds() - waited) / (wall_seconds() - start);
  return clock;
}

std::vector<Finding> judge_clock(const Layout& layout, const std::vector<Clock>& clocks) {
  const auto got = [](const Clock& clock) { return clock.flops() * (1 - clock.waiting); };
  std::vector<double> rates;
  for (const Clock& clock : clocks) rates.push_back(got(clock));
  const auto slowest = std::ranges::min_element(rates) - rates.begin();
  const Clock& slow = clocks[static_cast<std::size_t>(slowest)];
  std::ranges::nth_element(rates, rates.begin() + std::ssize(rates) / 2);
  const double middle = rates[rates.size() / 2];

  std::string text = fmt::format("{:.0f} GFLOP/s a rank (median); slowest {}: {:.0f}", middle / 1e9,
                                 layout.name(static_cast<int>(slowest)), got(slow) / 1e9);
  if (slow.nominal > 0)
    text += fmt::format(", its core at {:.2f} of the nominal rate at {:.2f} GHz", slow.speed(),
                        slow.nominal / 1e9);
  if (slow.waiting > most_waiting)
    text += fmt::format(", for which it waits {:.0f} % of the time", 100 * slow.waiting);
  const bool is_slow = slow.waiting > most_waiting || (slow.nominal > 0 && slow.speed() < least_speed) ||
                       got(slow) < least_speed * middle;
  if (is_slow) return {{Level::warn, text, remedy(slow)}};
  return {{Level::ok, text, ""}};
}

Check check_clock(const mpi::Communicator& comm, const Layout& layout) {
  comm.barrier();  // so that all measure at the same time
  const std::vector<Clock> clocks = gather(comm, clock_of_this_rank());
  return {.name = "clock", .findings = judge_clock(layout, clocks), .figures = {{"by_rank", clocks}}};
}

}  // namespace whorl::doctor
