// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.hpp"

#include <new>
#include <system_error>

namespace whorl {

std::string system_error_text(int error_number) {
  return std::generic_category().message(error_number);
}

std::string describe(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return "out of memory";
  const auto* system = dynamic_cast<const std::system_error*>(&error);
  if (system != nullptr && system->code() == std::errc::resource_unavailable_try_again)
    return "cannot start a thread: too little memory, or too many processes (ulimit -v, -u)";
  const std::string text = error.what();
  return text.empty() ? "unknown error" : text;
}

}  // namespace whorl
