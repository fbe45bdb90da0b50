// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <string>

#include "mpi/communicator.hpp"

namespace whorl::mpi {

/// MPI_Init_thread (MPI_THREAD_SERIALIZED: one thread at a time calls MPI) and MPI_Finalize. Errors are
/// returned, not fatal.
class Session {
 public:
  Session(int& argc, char**& argv);
  /// Finalizes, unless an exception unwinds.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
};

/// Short host name of this process.
std::string host_name();
/// "Open MPI v4.1.4": what the library says of itself.
std::string library_version();

/// The shared `main` of all programs: opens the session, runs `body`, returns the exit status.
/// A CollectiveError is printed once, by rank 0, and all ranks exit in order (status 2 for UsageError, else
/// 1). Any other exception is one rank's own: it is printed with rank and host, and the whole job is ended at
/// once by MPI_Abort.
int run_main(int argc, char** argv, const std::string& program,
             const std::function<int(Communicator&, int, char**)>& body);

}  // namespace whorl::mpi
