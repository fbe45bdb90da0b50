// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/scan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "ingest/input_file.hpp"
#include "unit/ingest/fixtures.hpp"

namespace whorl::ingest {
namespace {

namespace fs = std::filesystem;
using dataset::Split;
using testing::HasSubstr;

class ScanTest : public testing::Test {
 protected:
  fs::path at(const std::string& name) const { return folder_.path() / name; }
  // Of the last scan.
  fs::path scratch() const { return at(fmt::format("scratch-{}", scans_)); }
  Scan scan_inputs(std::vector<fs::path> inputs, double test_fraction = 0.25, std::uint64_t seed = 0) {
    ++scans_;
    return scan({std::move(inputs), test_fraction, seed, scratch()});
  }
  std::string error_of(std::vector<fs::path> inputs) {
    try {
      scan_inputs(std::move(inputs));
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  test::TemporaryFolder folder_;
  int scans_ = 0;
};

std::string bytes_of(const Manifest& manifest, const Item& item) {
  std::string bytes(static_cast<std::size_t>(item.size), '\0');
  InputFile(manifest.files[item.file].path)
      .read(item.offset, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

// Names and sizes of two CIFAR-10 sets are always the same.
TEST_F(ScanTest, TheBytesOfCifarBatchesBelongToTheDigest) {
  std::string batch = test::cifar_records(1, 4);
  test::write_file(at("c/data_batch_1.bin"), batch);
  const Manifest manifest = scan_inputs({at("c")}).manifest;
  EXPECT_EQ(scan_inputs({at("c")}).manifest.digest(), manifest.digest());
  EXPECT_EQ(deserialise(serialise(manifest)).digest(), manifest.digest());
  test::TarWriter tar;
  tar.add("data_batch_1.bin", batch);
  test::write_file(at("c.tar"), tar.finished());
  EXPECT_EQ(scan_inputs({at("c.tar")}).manifest.digest(), manifest.digest());
  batch.back() ^= 1;  // a pixel of the last picture
  test::write_file(at("c/data_batch_1.bin"), batch);
  EXPECT_NE(scan_inputs({at("c")}).manifest.digest(), manifest.digest());
}

TEST_F(ScanTest, AFolderAndATarOfItAreTheSame) {
  const auto files = test::picture_tree(3, 8, false);
  test::write_tree(at("tree"), files);
  test::write_file(at("pictures"), test::tar_of(files));
  const Manifest tree = scan_inputs({at("tree")}).manifest;
  const Manifest tar = scan_inputs({at("pictures")}).manifest;
  ASSERT_EQ(tree.items.size(), 24U);
  ASSERT_EQ(tar.items.size(), 24U);
  EXPECT_EQ(tree.class_names, (std::vector<std::string>{"class-0", "class-1", "class-2"}));
  EXPECT_EQ(tree.digest(), tar.digest());
  for (std::size_t i = 0; i < 24; ++i) {
    EXPECT_EQ(tree.items[i].name, tar.items[i].name);
    EXPECT_EQ(bytes_of(tree, tree.items[i]), bytes_of(tar, tar.items[i]));
    const auto file = std::ranges::find(files, "flowers/" + tree.items[i].name, &test::TreeFile::path);
    ASSERT_NE(file, files.end());
    EXPECT_EQ(bytes_of(tar, tar.items[i]), file->content);
    EXPECT_EQ(tar.class_names[tar.items[i].label], tar.items[i].name.substr(0, 7));
  }
}

TEST_F(ScanTest, ItemsAreSortedWithinSplits) {
  test::write_tree(at("tree"), test::picture_tree(4, 25, false));
  const Manifest manifest = scan_inputs({at("tree")}).manifest;
  const std::int64_t train = manifest.count(Split::train);
  EXPECT_EQ(manifest.count(Split::test), 100 - train);
  EXPECT_GT(train, 60);  // 75 expected, standard deviation 4.3
  EXPECT_LT(train, 90);
  for (std::int64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(manifest.items[i].split, i < train ? Split::train : Split::test);
    EXPECT_EQ(manifest.row(i), i < train ? i : i - train);
    if (i > 0 && i != train) {
      EXPECT_LT(manifest.items[i - 1].name, manifest.items[i].name);
    }
  }
}

TEST_F(ScanTest, TheSplitDependsOnSeedAndFraction) {
  test::write_tree(at("tree"), test::picture_tree(4, 25, false));
  const std::string first = scan_inputs({at("tree")}).manifest.digest();
  EXPECT_EQ(scan_inputs({at("tree")}).manifest.digest(), first);
  EXPECT_NE(scan_inputs({at("tree")}, 0.25, 1).manifest.digest(), first);
  EXPECT_EQ(scan_inputs({at("tree")}, 0).manifest.count(Split::test), 0);
  EXPECT_EQ(scan_inputs({at("tree")}, 1).manifest.count(Split::train), 0);
}

TEST_F(ScanTest, TheManifestSurvivesTheBroadcast) {
  test::write_tree(at("tree"), test::picture_tree(2, 3, false));
  const Manifest manifest = scan_inputs({at("tree")}).manifest;
  const Manifest copy = deserialise(serialise(manifest));
  EXPECT_EQ(serialise(copy), serialise(manifest));
  EXPECT_EQ(copy.digest(), manifest.digest());
  EXPECT_EQ(copy.files[3].path, manifest.files[3].path);
  EXPECT_EQ(copy.files[3].shared, false);
  const std::string bytes = serialise(manifest);
  EXPECT_THROW(deserialise(std::string_view(bytes).substr(0, bytes.size() - 1)), Error);
}

TEST_F(ScanTest, SeveralInputsMergeTheirClasses) {
  test::write_tree(at("one"), {{"daisy/1.jpg", "a"}, {"rose/1.jpg", "b"}});
  test::write_tree(at("two"), {{"aster/9.jpg", "c"}, {"rose/1.jpg", "d"}});
  const Manifest manifest = scan_inputs({at("one"), at("two")}, 0).manifest;
  EXPECT_EQ(manifest.class_names, (std::vector<std::string>{"aster", "daisy", "rose"}));
  ASSERT_EQ(manifest.items.size(), 4U);
  EXPECT_EQ(manifest.items[0].name, "daisy/1.jpg");
  EXPECT_EQ(manifest.items[1].name, "rose/1.jpg");
  EXPECT_EQ(manifest.items[2].name, "two/aster/9.jpg");  // "two" has a name that "one" has as well
  EXPECT_EQ(manifest.items[3].name, "two/rose/1.jpg");
  EXPECT_EQ(bytes_of(manifest, manifest.items[3]), "d");
  EXPECT_EQ(manifest.items[3].label, 2);
}

TEST_F(ScanTest, ReadsCifarBinaryInItsOrder) {
  test::write_file(at("c/batches.meta.txt"),
                   "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n\n");
  test::write_file(at("c/data_batch_2.bin"), test::cifar_records(2, 5));
  test::write_file(at("c/data_batch_1.bin"), test::cifar_records(1, 4));
  test::write_file(at("c/test_batch.bin"), test::cifar_records(6, 3));
  const Manifest manifest = scan_inputs({at("c")}).manifest;
  EXPECT_EQ(manifest.encoding, Encoding::cifar);
  ASSERT_EQ(manifest.items.size(), 12U);
  EXPECT_EQ(manifest.count(Split::train), 9);
  EXPECT_EQ(manifest.class_names[7], "seven");
  const auto expect_item = [&](std::size_t index, int batch, int record) {
    const std::string records = test::cifar_records(batch, record + 1);
    EXPECT_EQ(bytes_of(manifest, manifest.items[index]), records.substr(record * 3073 + 1));
    EXPECT_EQ(manifest.items[index].label, records[record * 3073]);
  };
  expect_item(0, 1, 0);
  expect_item(3, 1, 3);
  expect_item(4, 2, 0);
  expect_item(11, 6, 2);
  EXPECT_EQ(manifest.items[11].name, "test_batch.bin:00002");
  const Manifest single = scan_inputs({at("c/data_batch_2.bin")}).manifest;
  EXPECT_EQ(single.items.size(), 5U);
  EXPECT_EQ(single.class_names[7], "7");
}

TEST_F(ScanTest, RefusesDamagedCifar) {
  test::write_file(at("short/data_batch_1.bin"), test::cifar_records(1, 2).substr(1));
  EXPECT_THAT(error_of({at("short")}),
              HasSubstr("data_batch_1.bin has 6145 bytes, not whole CIFAR-10 records"));
  std::string wrong = test::cifar_records(1, 3);
  wrong[3073] = 10;
  test::write_file(at("label/data_batch_1.bin"), wrong);
  EXPECT_THAT(error_of({at("label")}), HasSubstr("picture 1 of data_batch_1.bin has the label 10"));
  test::write_file(at("pickle/data_batch_1"), "cos\nsystem\n(S'true'\ntR.");
  EXPECT_THAT(error_of({at("pickle")}), HasSubstr("os.system"));
}

// A batch of two pictures as Python 3 pickles it in protocol 2: pixels as text of which some characters take
// two bytes.
std::string python3_batch() {
  std::string pixels, utf8;
  for (int i = 0; i < 2 * 3072; ++i) {
    const int value = i * 7 % 256;
    pixels += static_cast<char>(value);
    if (value >= 128) utf8 += static_cast<char>(0xc0 | value >> 6);
    utf8 += static_cast<char>(value >= 128 ? 0x80 | (value & 0x3f) : value);
  }
  const auto length = static_cast<std::uint32_t>(utf8.size());
  using namespace std::string_literals;
  return "\x80\x02}(X\x06\0\0\0labels](K\x04K\x07"
         "eX\x04\0\0\0data"s
         "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"
         "c_codecs\nencode\nq\x04X\x01\0\0\0bX\x06\0\0\0latin1\x86R\x87R"s
         "(K\x01K\x02M\0\x0c\x86"
         "cnumpy\ndtype\nX\x02\0\0\0u1\x89\x88\x87R(K\x03X\x01\0\0\0|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"s
         "h\x04X"s +
         std::string(reinterpret_cast<const char*>(&length), 4) + utf8 + "X\x06\0\0\0latin1\x86Rtbu."s;
}

TEST_F(ScanTest, ReadsCifarPicklesWhosePixelsAreNotVerbatim) {
  test::write_file(at("p/data_batch_1"), python3_batch());
  test::write_file(at("p/test_batch"), python3_batch());
  const Manifest manifest = scan_inputs({at("p")}).manifest;
  ASSERT_EQ(manifest.items.size(), 4U);
  EXPECT_EQ(manifest.items[1].label, 7);
  for (const Item& item : manifest.items) {
    const std::string bytes = bytes_of(manifest, item);
    const int first = item.name.ends_with("1") ? 3072 : 0;
    for (int i = 0; i < 3072; ++i)
      ASSERT_EQ(static_cast<std::uint8_t>(bytes[i]), (first + i) * 7 % 256) << item.name << " " << i;
  }
  EXPECT_EQ(fs::file_size(recoded_pixels(scratch())), 2U * 2 * 3072);
}

TEST_F(ScanTest, UnpacksACompressedTar) {
  const auto files = test::picture_tree(2, 4, false);
  test::write_file(at("plain"), test::tar_of(files));
  ASSERT_EQ(std::system(fmt::format("gzip -c {} > {}", at("plain").string(), at("gz").string()).c_str()), 0);
  const Manifest manifest = scan_inputs({at("gz")}).manifest;
  EXPECT_EQ(manifest.digest(), scan_inputs({at("plain")}).manifest.digest());
  EXPECT_EQ(manifest.files[0].path, unpacked_tar(at("scratch-1"), 0).string());
  fs::resize_file(at("gz"), fs::file_size(at("gz")) / 2);
  EXPECT_THAT(error_of({at("gz")}), HasSubstr("cannot decompress"));
  test::write_file(at("text"), "no tar at all");
  ASSERT_EQ(std::system(fmt::format("gzip -f {}", at("text").string()).c_str()), 0);
  EXPECT_THAT(error_of({at("text.gz")}), HasSubstr("what it contains is not a tar"));
}

TEST_F(ScanTest, ExplainsInputsWithoutPictures) {
  fs::create_directory(at("empty"));
  test::write_file(at("flat/1.jpg"), "x");
  test::write_file(at("flat/.hidden"), "x");
  test::write_file(at("single"), test::jpeg_bytes(40, 40, 1));
  test::write_file(at("empty.tar"), std::string(1024, '\0'));
  EXPECT_THAT(error_of({at("none")}), HasSubstr("none: No such file or directory"));
  EXPECT_THAT(error_of({at("empty")}), HasSubstr("is empty"));
  EXPECT_THAT(error_of({at("empty.tar")}), HasSubstr("is empty"));
  EXPECT_THAT(error_of({at("flat")}),
              HasSubstr("holds no pictures in class folders (1 files elsewhere, 1 hidden)"));
  EXPECT_THAT(error_of({at("single")}), HasSubstr("neither a folder nor a tar"));
  test::write_file(at("c/data_batch_1.bin"), test::cifar_records(1, 2));
  test::write_tree(at("tree"), test::picture_tree(2, 2, false));
  EXPECT_THAT(error_of({at("tree"), at("c")}), HasSubstr("cannot go into one dataset"));
}

}  // namespace
}  // namespace whorl::ingest
