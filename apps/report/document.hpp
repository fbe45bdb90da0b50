// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace whorl::report_app {

struct Heading {
  int level = 2;
  std::string text;
};
struct Paragraph {
  std::string text;
};
struct Table {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};
/// A colour of a picture, and what it stands for.
struct KeyEntry {
  std::string colour, text;
  bool dashed = false;
};
struct Picture {
  std::string svg;
  std::vector<KeyEntry> key;  ///< set as text below, where it breaks as the page needs
};
/// Left out of Markdown.
struct Figure {
  std::string caption;
  Picture picture;
};
/// A file of the run, linked; and its text, folded away, unless the page would become heavy.
struct RawData {
  std::string path, text;
};
using Block = std::variant<Heading, Paragraph, Table, Figure, RawData>;

/// What a report says, before it takes a form.
class Document {
 public:
  explicit Document(std::string title) : title_(std::move(title)) {}
  void add(Block block) { blocks_.push_back(std::move(block)); }

  /// One page without anything outside of it but links to raw data.
  std::string html() const;
  std::string markdown() const;
  /// Every cell of every table: section, table, row, column, value.
  std::string csv() const;

 private:
  std::string title_;
  std::vector<Block> blocks_;
};

}  // namespace whorl::report_app
