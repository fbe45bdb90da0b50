// SPDX-License-Identifier: BSD-3-Clause
#include "base/digest.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace whorl {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

TEST(digest, of_nothing_is_the_published_value) {
  // XXH3_128bits of zero bytes with seed 0, as xxhsum -H2 prints it.
  EXPECT_EQ(Digest().hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(digest_of({}), "99aa06d3014798d86001c324468d497f");
}

TEST(digest, does_not_depend_on_the_pieces) {
  const std::string text(1000, 'a');
  Digest pieces;
  pieces.add(std::string_view(text).substr(0, 7));
  pieces.add(std::string_view(text).substr(7));
  Digest whole;
  whole.add(text);
  EXPECT_EQ(pieces.hex(), whole.hex());
  EXPECT_EQ(whole.hex(), digest_of(bytes_of(text)));
}

TEST(digest, sees_order_and_every_byte) {
  EXPECT_NE(digest_of(bytes_of("ab")), digest_of(bytes_of("ba")));
  EXPECT_NE(digest_of(bytes_of("ab")), digest_of(bytes_of(std::string("ab\0", 3))));
}

TEST(digest, goes_on_after_hex_and_after_a_move) {
  Digest digest;
  digest.add("petals ");
  EXPECT_EQ(digest.hex(), digest_of(bytes_of("petals ")));
  Digest moved = std::move(digest);
  moved.add("and stems");
  EXPECT_EQ(moved.hex(), digest_of(bytes_of("petals and stems")));
}

TEST(hash_of, depends_on_text_and_seed) {
  EXPECT_EQ(hash_of("", 0), 0x2d06800538d394c2U);  // published: XXH3_64bits of zero bytes
  EXPECT_EQ(hash_of("rose.jpg", 7), hash_of("rose.jpg", 7));
  EXPECT_NE(hash_of("rose.jpg", 7), hash_of("rose.jpg", 8));
  EXPECT_NE(hash_of("rose.jpg", 7), hash_of("rosf.jpg", 7));
}

}  // namespace
}  // namespace whorl
