// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "mpi/phase_timer.hpp"

namespace whorl::train {

namespace phase {
/// Where a rank's time goes: on hosts, that of its first thread.
enum Index : std::size_t {
  read,
  augment,
  input_wait,
  forward,
  backward,            ///< with all work on this rank's gradients
  all_reduce_exposed,  ///< what sums over the ranks kept all of them from computing
  rank_wait,           ///< for slower ranks, and for the slower threads of this one
  all_reduce_hidden,   ///< what sums take with nothing beside them, less all_reduce_exposed
  optimizer,
  evaluate,
  other
};
std::vector<std::string> names();

/// These add up to the wall clock; the others run beside them.
inline constexpr std::array on_the_clock{forward,   backward,   optimizer, all_reduce_exposed,
                                         rank_wait, input_wait, evaluate,  other};

/// Adds what each step's sums over the ranks kept this rank from computing, in seconds. What the rank spent
/// that was kept least, the last to come, all ranks spent on communication: all_reduce_exposed, the result.
/// What another spent beyond that, it waited for the last: rank_wait. Every rank gives the same steps.
/// Collective.
double add_exposed(mpi::PhaseTimer& timer, std::vector<double> of_steps, const mpi::Communicator& comm);
}  // namespace phase

}  // namespace whorl::train
