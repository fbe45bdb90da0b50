// SPDX-License-Identifier: BSD-3-Clause
// whorl-allreduce: verifies and times the all-reduce algorithms side by side.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "measure.hpp"
#include "mpi/session.hpp"
#include "report.hpp"

namespace whorl::allreduce {
namespace {

namespace po = boost::program_options;

struct Arguments {
  Comparison comparison;
  std::vector<std::size_t> sizes;  // bytes
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

collective::Element parse_element(const std::string& text) {
  for (const auto element : {collective::Element::float32, collective::Element::int64}) {
    if (text == to_string(element)) return element;
  }
  throw UsageError("--type {}: there are float32 and int64", text);
}

/// "from:to:factor"; also "from:to" (factor 4) and one size alone. Rounded down to whole elements.
std::vector<std::size_t> parse_sizes(const std::string& text, std::size_t element_bytes) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.empty() || parts.size() > 3) throw UsageError("--bytes {}: expected from:to:factor", text);
  const std::size_t from = parse_bytes(parts[0]);
  const std::size_t to = parts.size() > 1 ? parse_bytes(parts[1]) : from;
  const std::size_t factor = parts.size() > 2 ? parse_bytes(parts[2]) : 4;
  if (from < element_bytes || to < from || factor < 2) {
    throw UsageError("--bytes {}: expected {} <= from <= to, and a factor of at least 2", text,
                     element_bytes);
  }
  std::vector<std::size_t> sizes;
  for (std::size_t bytes = from;; bytes *= factor) {
    sizes.push_back(bytes / element_bytes * element_bytes);
    if (bytes > to / factor) return sizes;
  }
}

Arguments parse(int argc, char** argv, po::options_description& options, bool& help) {
  std::string algorithms, type, sizes, chunk;
  Arguments arguments;
  Comparison& comparison = arguments.comparison;
  options.add_options()("help,h", "this text")(
      "algorithms", po::value(&algorithms)->default_value("auto,ring,mpi"),
      fmt::format("what to compare, with commas between: {}, auto (the fastest, measured before)",
                  fmt::join(collective::available_algorithms(), ", "))
          .c_str())("type", po::value(&type)->default_value("float32"), "what is summed: float32 or int64")(
      "bytes", po::value(&sizes)->default_value("64K:64M:4"), "sizes of the buffers, from:to:factor")(
      "repeat", po::value(&comparison.repeats)->default_value(9),
      "timed sums of each algorithm at each size")(
      "chunk", po::value(&chunk)->default_value(std::to_string(comparison.options.chunk_bytes)),
      "largest message of ring, hierarchical and central, in bytes; 0: 384K on one node, 60K on several")(
      "json", po::value(&arguments.json), "write all results to this file");
  help =
      parse_command_line(argc, argv, options, "sizes are given as --bytes FROM:TO:FACTOR").contains("help");
  if (comparison.repeats < 1) throw UsageError("--repeat {}: at least 1", comparison.repeats);
  comparison.algorithms = split(algorithms, ',');
  comparison.element = parse_element(type);
  comparison.options.chunk_bytes = parse_bytes(chunk);
  if (!collective::is_chunk(comparison.options.chunk_bytes))
    throw UsageError("--chunk {}: 0, or 4 to 2^31-1 bytes", chunk);
  arguments.sizes = parse_sizes(sizes, size_of(comparison.element));
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
  const Setting setting = gather_setting(comm, arguments.comparison);
  if (comm.is_root()) print_heading(setting);
  std::vector<Measurement> rows;
  for (const std::size_t bytes : arguments.sizes) {
    const std::vector<Measurement> measured = measure(arguments.comparison, bytes, comm);
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
