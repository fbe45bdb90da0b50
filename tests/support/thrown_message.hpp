// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <exception>
#include <string>

namespace whorl::test {

/// The message of the `Exception` that `body` throws; "nothing was thrown" or "another exception: ..."
/// otherwise.
template <typename Exception, typename Body>
std::string thrown_message(Body&& body) {
  try {
    body();
  } catch (const Exception& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another exception: ") + error.what();
  }
  return "nothing was thrown";
}

}  // namespace whorl::test
