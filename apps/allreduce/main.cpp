// SPDX-License-Identifier: BSD-3-Clause
// whorl-allreduce: verifies and times the all-reduce algorithms side by side.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>

#include "base/error.hpp"
#include "measure.hpp"
#include "mpi/session.hpp"
#include "report.hpp"

namespace whorl::allreduce {
namespace {

namespace po = boost::program_options;

struct Arguments {
  std::vector<std::string> algorithms;
  std::vector<std::size_t> sizes;  // bytes
  int repeats = 0;
  std::size_t chunk_bytes = 0;
  std::string json;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

/// "4096", "64K", "16M", "1G": powers of 1024.
std::size_t parse_bytes(const std::string& text) {
  constexpr std::string_view suffixes = "KMG";
  std::size_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  const std::size_t suffix = rest < end ? suffixes.find(*rest) : 0;
  if (error != std::errc{} || end - rest > 1 || suffix == std::string_view::npos ||
      value > (std::size_t{1} << 40)) {
    throw UsageError("\"{}\" is not a size; write for instance 65536, 64K or 1M", text);
  }
  return rest < end ? value << (10 * (suffix + 1)) : value;
}

/// "from:to:factor"; also "from:to" (factor 4) and one size alone. Rounded down to whole floats.
std::vector<std::size_t> parse_sizes(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.empty() || parts.size() > 3) throw UsageError("--bytes {}: expected from:to:factor", text);
  const std::size_t from = parse_bytes(parts[0]);
  const std::size_t to = parts.size() > 1 ? parse_bytes(parts[1]) : from;
  const std::size_t factor = parts.size() > 2 ? parse_bytes(parts[2]) : 4;
  if (from < sizeof(float) || to < from || factor < 2) {
    throw UsageError("--bytes {}: expected 4 <= from <= to, and a factor of at least 2", text);
  }
  std::vector<std::size_t> sizes;
  for (std::size_t bytes = from; bytes <= to; bytes *= factor)
    sizes.push_back(bytes / sizeof(float) * sizeof(float));
  return sizes;
}

Arguments parse(int argc, char** argv, po::options_description& options, bool& help) {
  std::string algorithms, sizes, chunk;
  Arguments arguments;
  const collective::Options defaults;
  options.add_options()("help,h", "this text")(
      "algorithms", po::value(&algorithms)->default_value("ring,mpi"),
      fmt::format("what to compare: {}", fmt::join(collective::available_algorithms(), ", ")).c_str())(
      "bytes", po::value(&sizes)->default_value("64K:64M:4"), "sizes of the buffers, from:to:factor")(
      "repeat", po::value(&arguments.repeats)->default_value(9), "timed sums of each algorithm at each size")(
      "chunk", po::value(&chunk)->default_value(std::to_string(defaults.chunk_bytes)),
      "largest message of the ring, in bytes")("json", po::value(&arguments.json),
                                               "write all results to this file");
  try {
    po::variables_map values;
    po::store(po::parse_command_line(argc, argv, options), values);
    po::notify(values);
    help = values.contains("help");
  } catch (const po::error& error) {
    throw UsageError("{}; whorl-allreduce --help lists the options", error.what());
  }
  if (arguments.repeats < 1) throw UsageError("--repeat {}: at least 1", arguments.repeats);
  arguments.algorithms = split(algorithms, ',');
  arguments.sizes = parse_sizes(sizes);
  arguments.chunk_bytes = parse_bytes(chunk);
  return arguments;
}

int run(const mpi::Communicator& comm, int argc, char** argv) {
  po::options_description options("usage: mpirun -n RANKS whorl-allreduce [options]");
  bool help = false;
  const Arguments arguments = parse(argc, argv, options, help);
  if (help) {
    if (comm.is_root()) fmt::print("{}\n", (std::ostringstream() << options).str());
    return 0;
  }
  std::vector<std::unique_ptr<collective::AllReduce>> algorithms;
  for (const std::string& name : arguments.algorithms) {
    algorithms.push_back(collective::make_all_reduce(name, comm, {.chunk_bytes = arguments.chunk_bytes}));
  }
  const Setting setting = gather_setting(comm, arguments.chunk_bytes, arguments.repeats);
  if (comm.is_root()) print_heading(setting);
  std::vector<Measurement> rows;
  for (const std::size_t bytes : arguments.sizes) {
    const std::vector<Measurement> measured = measure(algorithms, bytes, arguments.repeats, comm);
    if (comm.is_root()) print_rows(measured, comm.size());
    rows.insert(rows.end(), measured.begin(), measured.end());
  }
  if (!arguments.json.empty()) mpi::on_root(comm, [&] { write_json(arguments.json, setting, rows); });
  return 0;
}

}  // namespace
}  // namespace whorl::allreduce

int main(int argc, char** argv) {
  return whorl::mpi::run_main(argc, argv, "whorl-allreduce", whorl::allreduce::run);
}
