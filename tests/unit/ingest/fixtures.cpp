// SPDX-License-Identifier: BSD-3-Clause
#include "unit/ingest/fixtures.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <numeric>

#include "base/error.hpp"
#include "image/jpeg.hpp"

namespace whorl::ingest::test {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  stream.close();
  require(bool(stream), "cannot write {}", path.string());
}

image::Image draw_picture(int height, int width, int number) {
  image::Image picture(height, width);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const double wave = std::sin(0.04 * x * (1 + number % 3) + 0.02 * y * (2 + c) + number);
        picture.at(y, x)[c] = static_cast<std::uint8_t>(120 + 90 * wave + (x * 7 + y * 3 + number) % 11);
      }
    }
  }
  return picture;
}

std::string jpeg_bytes(int height, int width, int number) {
  const std::vector<std::uint8_t> bytes = image::encode_jpeg(draw_picture(height, width, number), 92);
  return {bytes.begin(), bytes.end()};
}

void TarWriter::add_header(const std::string& name, const std::string& size_field, char type) {
  std::array<char, 512> header{};
  const auto put = [&](std::size_t offset, const std::string& text) {
    std::copy(text.begin(), text.end(), header.begin() + offset);
  };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(124, size_field);
  put(136, "00000000000");
  put(148, "        ");
  header[156] = type;
  put(257, std::string("ustar\00000", 8));
  const int sum = std::accumulate(header.begin(), header.end(), 0,
                                  [](int total, char c) { return total + static_cast<unsigned char>(c); });
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  bytes.append(header.begin(), header.end());
}

void TarWriter::add(const std::string& name, const std::string& content, char type) {
  if (name.size() > 100) add("././@LongLink", name + '\0', 'L');
  add_header(name, fmt::format("{:011o}", content.size()), type);
  bytes += content;
  bytes.resize((bytes.size() + 511) / 512 * 512);
}

void TarWriter::add_pax(const std::vector<std::string>& records) {
  std::string text;
  for (const std::string& record : records) {
    std::size_t length = record.size() + 3;  // a digit, the blank and the newline
    while (std::to_string(length).size() + record.size() + 2 != length) ++length;
    text += fmt::format("{} {}\n", length, record);
  }
  add("PaxHeaders/entry", text, 'x');
}

std::vector<TreeFile> picture_tree(int classes, int pictures_per_class, bool with_broken_ones) {
  std::vector<TreeFile> files{{"flowers/LICENSE.txt", "free"}, {"flowers/class-0/.hidden.jpg", "no picture"}};
  int number = 0;
  for (int label = 0; label < classes; ++label) {
    for (int i = 0; i < pictures_per_class; ++i, ++number) {
      const std::string bytes = jpeg_bytes(40 + number % 7 * 9, 40 + number % 5 * 13, number);
      files.push_back({fmt::format("flowers/class-{}/picture-{:03}.jpg", label, (i * 7) % 1000), bytes});
    }
  }
  if (with_broken_ones) {
    files.push_back({"flowers/class-0/notes.txt", "not a picture"});
    files.push_back({"flowers/class-1/empty.jpg", ""});
    files.push_back({"flowers/class-1/short.jpg", jpeg_bytes(50, 60, 777).substr(0, 500)});
  }
  return files;
}

void write_tree(const fs::path& folder, const std::vector<TreeFile>& files) {
  for (const TreeFile& file : files) write_file(folder / file.path, file.content);
}

std::string tar_of(const std::vector<TreeFile>& files) {
  TarWriter tar;
  for (const TreeFile& file : files) tar.add(file.path, file.content);
  return tar.finished();
}

std::string cifar_records(int batch, int count) {
  std::string bytes;
  for (int record = 0; record < count; ++record) {
    bytes += static_cast<char>((record * 3 + batch) % 10);
    for (int i = 0; i < 3072; ++i)
      bytes += static_cast<char>((i * 5 + record * 11 + batch * 17 + i / 1024) % 256);
  }
  return bytes;
}

}  // namespace whorl::ingest::test
