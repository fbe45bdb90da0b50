// SPDX-License-Identifier: BSD-3-Clause
#include "train/phase.hpp"

#include <numeric>
#include <span>

namespace whorl::train {

std::vector<std::string> phase::names() {
  return {"read",      "augment",           "input wait", "forward",  "backward", "all-reduce exposed",
          "rank wait", "all-reduce hidden", "optimizer",  "evaluate", "other"};
}

double phase::add_exposed(mpi::PhaseTimer& timer, std::vector<double> of_steps,
                          const mpi::Communicator& comm) {
  const double own = std::accumulate(of_steps.begin(), of_steps.end(), 0.0);
  comm.min_in_place(std::span(of_steps));
  const double of_all = std::accumulate(of_steps.begin(), of_steps.end(), 0.0);
  timer.add(all_reduce_exposed, of_all);
  timer.add(rank_wait, own - of_all);
  return of_all;
}

}  // namespace whorl::train
