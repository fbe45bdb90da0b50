// SPDX-License-Identifier: BSD-3-Clause
#include "figure_script.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.hpp"
#include "support/temporary_folder.hpp"

namespace whorl::report_app {
namespace {

const std::string drawing = "set terminal svg\nset output 'x.svg'\n";

std::string read(const std::string& commands) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "figure.gp") << drawing << commands;
  return read_figure_script(folder / "figure.gp");
}

TEST(FigureScript, TakesWhatReadbenchDraws) {
  const std::string commands =
      "set title 'system('' x'' ): | <'\nset xlabel 'images'\nset logscale x 2\nset xrange [0:*]\n"
      "set key outside bottom center vertical samplen 2\nset style data histogram\nset style fill solid 0.7\n"
      "set xtics rotate by 90 right\n$data0 << END\n\"a, system\" 1 2\nEND\n";
  const std::string plot =
      "plot $data0 using 1:2:3:4 with yerrorlines title 'a', $data0 using 2:xtic(1) title 'b', "
      "-1.5e-05 + nan * x with lines lc 1 notitle\n";
  EXPECT_EQ(read(commands + plot), commands + plot);
}

TEST(FigureScript, RefusesWhatCouldRunOrTouchAnything) {
  for (const char* command : {"system 'id'",
                              "!id",
                              "plot '< id'",
                              "plot '/etc/passwd'",
                              "plot $data using (system('id'))",
                              "set output '|id'",
                              "set print 'f'",
                              "load 'f'",
                              "call 'f'",
                              "plot \"< id\"",
                              "set title 'a' ; system 'id'",
                              "eval('x')",
                              "shell",
                              "set title 'a",
                              "plot $data title system('id')",
                              "set title\t'a'",
                              "$data << END ; !id",
                              "$datax << END",
                              "plot $data title 'a' '< id'",
                              "set title '`id`'",
                              "set terminal dumb",
                              "fit x"}) {
    EXPECT_THROW(read(std::string(command) + "\n"), Error) << command;
  }
}

TEST(FigureScript, DataEndWhereGnuplotEndsThem) {
  EXPECT_THROW(read("$data0 << END\n1 2\nEND\nsystem 'id'\n"), Error);
  EXPECT_THROW(read("$data0 << END\n1 2\n END\nsystem 'id'\nEND\n"), Error);
  EXPECT_THROW(read("$data0 << END\n\"`id`\" 2\nEND\n"), Error);
}

}  // namespace
}  // namespace whorl::report_app
