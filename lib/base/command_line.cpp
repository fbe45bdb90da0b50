// SPDX-License-Identifier: BSD-3-Clause
#include "base/command_line.hpp"

#include <vector>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace whorl {
namespace {

namespace po = boost::program_options;

[[noreturn]] void fail_unknown(const std::string& flag, const po::options_description& description) {
  std::vector<std::string> flags;
  for (const auto& option : description.options()) flags.push_back("--" + option->long_name());
  const std::string guess = nearest(flag, flags);
  throw UsageError("unknown option {}{}", flag,
                   guess.empty() ? "; --help lists all" : "; did you mean " + guess + "?");
}

}  // namespace

po::variables_map parse_command_line(int argc, char** argv, const po::options_description& description,
                                     const std::string& hint,
                                     const po::positional_options_description& positions) {
  using po::command_line_style::allow_guessing;
  using po::command_line_style::unix_style;
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv)
                  .options(description)
                  .positional(positions)
                  .style(unix_style & ~allow_guessing)
                  .run(),
              values);
    po::notify(values);
    return values;
  } catch (const po::unknown_option& error) {
    fail_unknown(error.get_option_name(), description);
  } catch (const po::too_many_positional_options_error&) {
    throw UsageError("an argument without an option in front of it; {}", hint);
  } catch (const po::error& error) {
    throw UsageError("{}; --help explains the options", error.what());
  }
}

}  // namespace whorl
