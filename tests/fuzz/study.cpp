// SPDX-License-Identifier: BSD-3-Clause
// A study file; what is taken must come out of its own print the same.
#include "scale/study.hpp"

#include "input.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace whorl;
  fuzz::refuse_or_take([&] {
    scale::Study study, again;
    scale::apply_settings(study, scale::parse_study_file("a.study", std::string(data, data + size)));
    scale::check(study);
    const std::string text = scale::resolved_text(study);
    scale::apply_settings(again, scale::parse_study_file("a.study", text));
    fuzz::must_hold(scale::resolved_text(again) == text, "a resolved study file repeats the study");
  });
  return 0;
}
