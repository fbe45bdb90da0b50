// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/pickle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace whorl::ingest {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string error_of(const std::string& text) {
  try {
    const Pickle pickle(bytes_of(text));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void expect_array(const std::string& text, std::string_view content) {
  const Pickle pickle(bytes_of(text));
  const Pickle::Value* data = Pickle::find(pickle.root(), "data");
  ASSERT_NE(data, nullptr);
  ASSERT_EQ(data->kind, Pickle::Kind::array);
  EXPECT_EQ(data->text, content);
  ASSERT_EQ(data->parts.size(), 2U);
  EXPECT_EQ(data->parts[0]->integer, 2);
  EXPECT_EQ(data->parts[1]->integer, 3);
}

// {'labels': [6, 9], 'data': numpy.array([[1, 200, 3], [4, 5, 255]], numpy.uint8)}, as Python 2.7 with
// NumPy 1.16 pickles it.
const std::string array_state_python2 =
    "cnumpy.core.multiarray\n_reconstruct\nq\x03"
    "cnumpy\nndarray\nq\x04K\0\x85q\x05U\x01"
    "bq\x06\x87q\x07Rq\x08(K\x01K\x02K\x03\x86q\x09"
    "cnumpy\ndtype\nq\x0aU\x02u1q\x0bK\0K\x01\x87q\x0cRq\x0d(K\x03U\x01|"
    "q\x0eNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tq\x0f"
    "b\x89U\x06"
    "\x01\xc8\x03\x04\x05\xff"
    "q\x10tq\x11"
    "b"s;
const std::string python2 =
    "\x80\x02}q\0(U\x06labelsq\x01]q\x02(K\x06K\x09"
    "eU\x04"
    "dataq\x12"s +
    array_state_python2 + "u."s;

TEST(Pickle, ReadsThePython2FormOfAnArray) {
  expect_array(python2, "\x01\xc8\x03\x04\x05\xff");
  const Pickle pickle(bytes_of(python2));
  const Pickle::Value* labels = Pickle::find(pickle.root(), "labels");
  ASSERT_NE(labels, nullptr);
  ASSERT_EQ(labels->parts.size(), 2U);
  EXPECT_EQ(labels->parts[0]->integer, 6);
  EXPECT_EQ(labels->parts[1]->integer, 9);
  const Pickle::Value* data = Pickle::find(pickle.root(), "data");
  EXPECT_EQ(data->text.data(), python2.data() + python2.find("\x01\xc8\x03")) << "not in place";
  EXPECT_EQ(Pickle::find(pickle.root(), "missing"), nullptr);
}

// The same by Python 3 in protocol 2: bytes are text, to be encoded as Latin-1 (200 is C3 88, 255 is C3 BF).
TEST(Pickle, ReadsThePython3FormOfBytesInProtocol2) {
  expect_array(
      "\x80\x02}X\x04\0\0\0dataq\x01"
      "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"
      "c_codecs\nencode\nq\x04X\x01\0\0\0bX\x06\0\0\0latin1\x86R\x87R"
      "(K\x01K\x02K\x03\x86"
      "cnumpy\ndtype\nX\x02\0\0\0u1\x89\x88\x87R(K\x03X\x01\0\0\0|"
      "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"
      "h\x04X\x08\0\0\0\x01\xc3\x88\x03\x04\x05\xc3\xbfX\x06\0\0\0latin1\x86Rtbs."s,
      "\x01\xc8\x03\x04\x05\xff");
}

// By Python 3 in protocol 4 with NumPy 2, framed and memoised.
TEST(Pickle, ReadsProtocol4) {
  expect_array(
      "\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x04"
      "data\x94\x8c\x16numpy._core.multiarray\x94\x8c\x0c_reconstruct\x94\x93\x94"
      "\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94K\0\x85\x94"
      "C\x01"
      "b\x94\x87\x94R\x94(K\x01K\x02K\x03\x86\x94h\x05\x8c\x05"
      "dtype\x94\x93\x94"
      "\x8c\x02u1\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0t\x94"
      "b\x89"
      "C\x06"
      "\x01\xc8\x03\x04\x05\xff\x94t\x94"
      "bs."s,
      "\x01\xc8\x03\x04\x05\xff");
}

TEST(Pickle, ReadsTextOpcodesOfProtocol0) {
  const std::string text =
      "(dp0\nS'a\\x41\\\\\\n'\np1\nI-12\nsS\"b\"\n(lp2\nL34L\naI01\nasS'c'\n(I1\nS'x'\nts."s;
  const Pickle pickle(bytes_of(text));
  const Pickle::Value* escaped = Pickle::find(pickle.root(), "aA\\\n");
  ASSERT_NE(escaped, nullptr);
  EXPECT_EQ(escaped->integer, -12);
  const Pickle::Value* list = Pickle::find(pickle.root(), "b");
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->parts.size(), 2U);
  EXPECT_EQ(list->parts[0]->integer, 34);
  EXPECT_EQ(list->parts[1]->integer, 1);
  EXPECT_EQ(Pickle::find(pickle.root(), "c")->kind, Pickle::Kind::tuple);
}

TEST(Pickle, ReadsIntegersOfAllWidths) {
  const std::string text = "(K\xffM\xff\xffJ\xfe\xff\xff\xff\x8a\x02\xff\x7f\x8a\x01\x80\x8a\0l."s;
  const Pickle pickle(bytes_of(text));
  std::vector<std::int64_t> values;
  for (const Pickle::Value* part : pickle.root().parts) values.push_back(part->integer);
  EXPECT_EQ(values, (std::vector<std::int64_t>{255, 65535, -2, 32767, -128, 0}));
}

TEST(Pickle, RefusesFunctionsByName) {
  EXPECT_THAT(error_of("cos\nsystem\n(S'rm -rf /'\ntR."s), HasSubstr("os.system"));
  EXPECT_THAT(error_of("\x80\x04\x8c\x08"
                       "builtins\x8c\x04"
                       "eval\x93."s),
              HasSubstr("builtins.eval"));
  EXPECT_THAT(error_of("(S'x'\nios\nsystem\n."s), HasSubstr("opcode 0x69"));    // INST
  EXPECT_THAT(error_of("cnumpy\nndarray\n)\x81."s), HasSubstr("opcode 0x81"));  // NEWOBJ
  EXPECT_THAT(error_of("cnumpy\nndarray\n)R."s), HasSubstr("call of a type"));
  EXPECT_THAT(error_of("K\x01)R."s), HasSubstr("not a function"));
}

TEST(Pickle, RefusesEveryTruncation) {
  for (std::size_t length = 0; length < python2.size(); ++length) {
    EXPECT_NE(error_of(python2.substr(0, length)), "no error") << length;
  }
}

// Whatever a changed byte makes of it, nothing but an Error may come of it.
TEST(Pickle, SurvivesEveryChangedByte) {
  int refused = 0;
  for (std::size_t i = 0; i < python2.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = python2;
      changed[i] = static_cast<char>(value);
      refused += error_of(changed) != "no error" ? 1 : 0;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(Pickle, RefusesHostileSizes) {
  EXPECT_THAT(error_of("T\xff\xff\xff\xff"
                       "abc."s),
              HasSubstr("unexpected end"));
  EXPECT_THAT(error_of("\x8e\xff\xff\xff\xff\xff\xff\xff\xff"
                       "abc."s),
              HasSubstr("unexpected end"));
  EXPECT_THAT(error_of("\x8a\xff."s), HasSubstr("not a 64-bit integer"));
  EXPECT_THAT(error_of("I99999999999999999999\n."s), HasSubstr("not a 64-bit integer"));
  EXPECT_THAT(error_of(std::string(5'000'000, '(')), HasSubstr("too many values"));
  EXPECT_THAT(error_of("j\xff\xff\xff\xff."s), HasSubstr("unknown reference"));
  std::string shape = python2;
  shape.replace(shape.find("K\x02K\x03\x86"), 2, "K\x04");
  EXPECT_THAT(error_of(shape), HasSubstr("array larger than its bytes"));
  std::string type = python2;
  type.replace(type.find("u1"), 2, "i8");
  EXPECT_THAT(error_of(type), HasSubstr("array of i8"));
}

TEST(Pickle, RefusesToDecodeOneTextAgainAndAgain) {
  std::string text = "c_codecs\nencode\nq\0X\xe8\x03\0\0"s + std::string(1000, 'x') + "q\1U\6latin1q\2"s;
  for (int i = 0; i < 3; ++i) text += "h\0h\1h\2\x86R"s;
  EXPECT_THAT(error_of(text + "."), HasSubstr("too much text"));
}

TEST(Pickle, DeepNestingAndCyclesAreHarmless) {
  std::string deep = ")";
  deep += std::string(1'000'000, '\x85');
  EXPECT_EQ(error_of(deep + "."), "no error");
  EXPECT_EQ(error_of("]q\0h\0a."s), "no error");
}

}  // namespace
}  // namespace whorl::ingest
