// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace whorl::mpi {

/// Throws whorl::Error with MPI's own text unless `code` is MPI_SUCCESS. `call` is the name of the function,
/// such as "MPI_Allreduce"; `subject` what it was applied to (a file name, say), may be null.
void check(int code, const char* call, const char* subject = nullptr);

}  // namespace whorl::mpi
