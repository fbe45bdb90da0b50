// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <new>

#include "support/thrown_message.hpp"

namespace whorl {
namespace {

TEST(error, formats_its_message) {
  EXPECT_STREQ(Error("{} of {}", 3, "four").what(), "3 of four");
}

TEST(error, keeps_braces_of_a_ready_message) {
  EXPECT_STREQ(Error(std::string("a {} b")).what(), "a {} b");
}

TEST(require_function, throws_only_when_the_condition_fails) {
  EXPECT_NO_THROW(require(true, "never {}", 1));
  EXPECT_EQ(test::thrown_message<Error>([] { require(false, "width {} is not {}", 3, 4); }),
            "width 3 is not 4");
}

TEST(system_error_text, names_the_cause) {
  EXPECT_EQ(system_error_text(ENOENT), "No such file or directory");
}

TEST(describe, speaks_plainly) {
  EXPECT_EQ(describe(std::bad_alloc()), "out of memory");
  EXPECT_EQ(describe(std::bad_array_new_length()), "out of memory");
  EXPECT_EQ(describe(Error("no petals")), "no petals");
  EXPECT_EQ(describe(Error("{}", "")), "unknown error");
}

}  // namespace
}  // namespace whorl
