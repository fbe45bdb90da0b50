// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/session.hpp"

#include <fmt/core.h>
#include <mpi.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "base/error.hpp"
#include "mpi/check.hpp"

namespace whorl::mpi {

namespace {

constexpr int failure = 1;
constexpr int wrong_usage = 2;

void print_error(const std::string& program, const std::string& where, const std::string& message) {
  std::fflush(stdout);
  fmt::print(stderr, "{}: error{}: {}\n", program, where, message);
  std::fflush(stderr);
}

// Open MPI 4.1's own MPI-IO (OMPIO) by default fails or hangs in collective transfers of unequal or empty
// parts (fcoll/vulcan). ROMIO, which it also carries, does not, and is several times faster at contiguous
// reads; where it was left out, fcoll/two_phase is sound. Priorities, not names: builds that lack one just
// take the next. What the user set stays.
void prefer_sound_file_access() {
  setenv("OMPI_MCA_io_ompio_priority", "1", 0);
  setenv("OMPI_MCA_fcoll_two_phase_priority", "100", 0);
}

// A file that outgrows a limit (ulimit -f) shall be an error of write(), with a message, not the end of the
// process.
void survive_file_size_limits() {
  std::signal(SIGXFSZ, SIG_IGN);
}

// MPI_Finalize waits for all ranks, and no watchdog looks after them any more: one that is stopped there
// must not keep the others for ever. Long enough for a rank that still writes something.
void end_if_others_do_not() {
  std::signal(SIGALRM, [](int) {
    constexpr std::string_view message = "error: waited 300 s for other ranks to end; this ends the job\n";
    static_cast<void>(::write(STDERR_FILENO, message.data(), message.size()) > 0);
    std::_Exit(failure);
  });
  ::alarm(300);
}

int report_for_all(const Communicator& world, const std::string& program, const Error& error, int status) {
  if (world.is_root()) print_error(program, "", error.what());
  return status;
}

}  // namespace

Session::Session(int& argc, char**& argv) {
  prefer_sound_file_access();
  survive_file_size_limits();
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
  require(provided >= MPI_THREAD_SERIALIZED,
          "this MPI library does not support threads that take turns (MPI_THREAD_SERIALIZED)");
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_File_set_errhandler(MPI_FILE_NULL, MPI_ERRORS_RETURN), "MPI_File_set_errhandler");
}

Session::~Session() {
  if (std::uncaught_exceptions() > 0) return;
  end_if_others_do_not();
  MPI_Finalize();
  ::alarm(0);
}

std::string host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0) return "unknown";
  const std::string full = name;
  return full.substr(0, full.find('.'));
}

std::string library_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  check(MPI_Get_library_version(text, &length), "MPI_Get_library_version");
  const std::string full(text, static_cast<std::size_t>(length));
  return full.substr(0, full.find_first_of(",\n"));
}

int run_main(int argc, char** argv, const std::string& program,
             const std::function<int(Communicator&, int, char**)>& body) {
  const Session session(argc, argv);
  Communicator world = Communicator::world();
  std::string message;
  try {
    return body(world, argc, argv);
  } catch (const UsageError& error) {
    return report_for_all(world, program, error, wrong_usage);
  } catch (const CollectiveError& error) {
    return report_for_all(world, program, error, failure);
  } catch (const std::exception& error) {
    message = describe(error);
  } catch (...) {
    message = "unknown exception";
  }
  const std::string where =
      world.size() > 1 ? fmt::format(" on rank {} (host {})", world.rank(), host_name()) : "";
  print_error(program, where, message);
  MPI_Abort(MPI_COMM_WORLD, failure);
  std::_Exit(failure);
}

}  // namespace whorl::mpi
