// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/check.hpp"

#include <mpi.h>

#include <string>

#include "base/error.hpp"

namespace whorl::mpi {

void check(int code, const char* call, const char* subject) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) length = 0;
  const std::string cause =
      length > 0 ? std::string(text, static_cast<std::size_t>(length)) : fmt::format("MPI error {}", code);
  throw Error("{} failed{}{}: {}", call, subject != nullptr ? " on " : "", subject != nullptr ? subject : "",
              cause);
}

}  // namespace whorl::mpi
