// SPDX-License-Identifier: BSD-3-Clause
// make_pictures FOLDER CLASSES PICTURES: writes FOLDER/flowers/class-N/picture-NNN.jpg, that many per class,
// all different.
#include <cstdlib>
#include <iostream>

#include "unit/ingest/fixtures.hpp"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: make_pictures FOLDER CLASSES PICTURES\n";
    return 2;
  }
  using namespace whorl::ingest::test;
  write_tree(argv[1], picture_tree(std::atoi(argv[2]), std::atoi(argv[3]), false));
  return 0;
}
