// SPDX-License-Identifier: BSD-3-Clause
// A job file; what is taken must come out of its own print the same.
#include "train/job.hpp"

#include "input.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace whorl;
  fuzz::refuse_or_take([&] {
    train::Job job, again;
    train::apply_settings(job, train::parse_job_file("job.ini", std::string(data, data + size)));
    const std::string text = train::resolved_text(job);
    train::apply_settings(again, train::parse_job_file("job.ini", text));
    fuzz::must_hold(train::resolved_text(again) == text, "a resolved job file repeats the job");
    train::check(job);
  });
  return 0;
}
