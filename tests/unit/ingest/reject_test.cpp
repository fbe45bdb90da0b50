// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/reject.hpp"

#include <gtest/gtest.h>

namespace whorl::ingest {
namespace {

TEST(Reject, IsListedFitForATerminal) {
  Manifest manifest;
  manifest.items.resize(3);
  manifest.items[0].name = "roses/\x1b]0;title\a.jpg";
  manifest.items[2].name = "tulips/t\xc3\xbc.jpg";
  const std::vector<Reject> rejects{{0, "cannot open it\x1b"}, {1, "unnamed"}, {2, "no JPEG"}};
  EXPECT_EQ(list_rejects(rejects, manifest, 3),
            "\n  roses/?]0;title?.jpg: cannot open it?\n  : unnamed\n  tulips/t\xc3\xbc.jpg: no JPEG");
  EXPECT_EQ(list_rejects(rejects, manifest, 1),
            "\n  roses/?]0;title?.jpg: cannot open it?\n  ... and 2 more");
}

}  // namespace
}  // namespace whorl::ingest
