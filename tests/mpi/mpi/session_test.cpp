// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/session.hpp"

#include <gtest/gtest.h>
#include <mpi.h>

#include "mpi/check.hpp"
#include "support/thrown_message.hpp"

namespace whorl::mpi {
namespace {

TEST(session, returns_errors_instead_of_ending_the_program) {
  int value = 0;
  const int code = MPI_Bcast(&value, 1, MPI_INT, 1000, MPI_COMM_WORLD);  // no such root
  EXPECT_NE(code, MPI_SUCCESS);
  const std::string message = test::thrown_message<Error>([&] { check(code, "MPI_Bcast", "petals"); });
  EXPECT_EQ(message.rfind("MPI_Bcast failed on petals: MPI_ERR_ROOT", 0), 0U) << message;
}

TEST(session, provides_threads_that_take_turns) {
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Query_thread(&provided), "MPI_Query_thread");
  EXPECT_GE(provided, MPI_THREAD_SERIALIZED);
}

TEST(session, names_host_and_library) {
  EXPECT_FALSE(host_name().empty());
  EXPECT_EQ(host_name().find('.'), std::string::npos);
  EXPECT_FALSE(library_version().empty());
  EXPECT_EQ(library_version().find_first_of(",\n"), std::string::npos);
}

}  // namespace
}  // namespace whorl::mpi
