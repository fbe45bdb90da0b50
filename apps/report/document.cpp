// SPDX-License-Identifier: BSD-3-Clause
#include "document.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace whorl::report_app {

namespace {

constexpr const char* style = R"(
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; color: #1c2330; background: #fff; overflow-wrap: anywhere; }
h1 { line-height: 1.2; } h2 { border-top: 1px solid #ccd3dd; padding-top: 1rem; margin-top: 2.5rem; } h3 { margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.86rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.title { font-size: 0.86rem; font-weight: 600; margin: 1.2rem 0 0.3rem; }
th, td { padding: 0.25rem 0.7rem 0.25rem 0; text-align: left; border-bottom: 1px solid #e3e7ee; vertical-align: top; min-width: 3.6rem; } .long { min-width: 14rem; }
th { color: #4d5a70; font-weight: 600; }
figure { display: inline-block; vertical-align: top; width: min(100%, 29rem); margin: 0.7rem 0.6rem 0.7rem 0; } figure svg { width: 100%; height: auto; }
.key { margin: 0 0 0.3rem; font-size: 0.86rem; line-height: 1.3; } .key span { display: inline-block; margin-right: 0.9rem; } .key i { display: inline-block; width: 1.1rem; margin-right: 0.35rem; vertical-align: middle; }
figcaption { color: #4d5a70; font-size: 0.9rem; }
pre { overflow-x: auto; font-size: 0.75rem; background: #f4f6f9; padding: 0.6rem; }
@media print { html { font-size: 11px; } body { max-width: none; font-size: 1rem; padding: 0; } figure, tr { break-inside: avoid; } h2, h3, .title { break-after: avoid; } .scroll { overflow: visible; } th, td, .long { min-width: 0; } }
)";

constexpr std::size_t most_embedded_bytes = 500'000;  // of all raw data of a page
constexpr std::size_t long_cell = 40;                 // characters; its column is not squeezed on phones

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string html_cells(const std::vector<std::string>& cells, const char* tag) {
  std::string row = "<tr>";
  for (const std::string& cell : cells) {
    const bool is_long = cell.size() >= long_cell;
    row += fmt::format("<{0}{1}>{2}</{0}>", tag, is_long ? " class=\"long\"" : "", escaped(cell));
  }
  return row + "</tr>\n";
}

struct ToHtml {
  std::size_t room = most_embedded_bytes;

  std::string operator()(const Heading& heading) const {
    return fmt::format("<h{0}>{1}</h{0}>\n", heading.level, escaped(heading.text));
  }
  std::string operator()(const Paragraph& paragraph) const {
    return fmt::format("<p>{}</p>\n", escaped(paragraph.text));
  }
  std::string operator()(const Table& table) const {
    std::string text =
        fmt::format("<p class=\"title\">{}</p>\n<div class=\"scroll\"><table>\n<thead>{}</thead><tbody>\n",
                    escaped(table.title), html_cells(table.header, "th"));
    for (const auto& row : table.rows) text += html_cells(row, "td");
    return text + "</tbody></table></div>\n";
  }
  std::string operator()(const Figure& figure) const {
    std::string key;
    for (const KeyEntry& entry : figure.picture.key) {
      key += fmt::format("<span><i style=\"border-top: 0.35rem {} {}\"></i>{}</span> ",
                         entry.dashed ? "dashed" : "solid", entry.colour, escaped(entry.text));
    }
    return fmt::format("<figure>{}{}<figcaption>{}</figcaption></figure>\n", figure.picture.svg,
                       key.empty() ? "" : fmt::format("<p class=\"key\">{}</p>", key),
                       escaped(figure.caption));
  }
  std::string operator()(const RawData& raw) {
    const std::string link = fmt::format("<a href=\"{0}\">{0}</a>", escaped(raw.path));
    if (raw.text.size() > room) return fmt::format("<p>Raw data: {}</p>\n", link);
    room -= raw.text.size();
    return fmt::format("<details><summary>Raw data: {}</summary><pre>{}</pre></details>\n", link,
                       escaped(raw.text));
  }
};

std::string markdown_cells(const std::vector<std::string>& cells) {
  std::string row(1, '|');
  for (const std::string& cell : cells) {
    row += ' ';
    for (const char c : cell) {
      if (c == '|') row += '\\';
      row += c;
    }
    row += " |";
  }
  row += '\n';
  return row;
}

struct ToMarkdown {
  std::string operator()(const Heading& heading) const {
    return fmt::format("{} {}\n\n", std::string(static_cast<std::size_t>(heading.level), '#'), heading.text);
  }
  std::string operator()(const Paragraph& paragraph) const { return paragraph.text + "\n\n"; }
  std::string operator()(const Table& table) const {
    std::string text = fmt::format("**{}**\n\n{}|", table.title, markdown_cells(table.header));
    for (std::size_t i = 0; i < table.header.size(); ++i) text += "---|";
    text += "\n";
    for (const auto& row : table.rows) text += markdown_cells(row);
    return text + "\n";
  }
  std::string operator()(const Figure&) const { return ""; }
  std::string operator()(const RawData& raw) const { return fmt::format("Raw data: <{}>\n\n", raw.path); }
};

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += c;
    result += c;
  }
  result += '"';
  return result;
}

}  // namespace

std::string Document::html() const {
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, "
      "initial-scale=1\">\n<title>{0}</title>\n<style>{1}</style></head>\n<body>\n"
      "<h1>{0}</h1>\n",
      escaped(title_), style);
  ToHtml to_html;
  for (const Block& block : blocks_) text += std::visit(to_html, block);
  return text + "</body></html>\n";
}

std::string Document::markdown() const {
  std::string text = fmt::format("# {}\n\n", title_);
  for (const Block& block : blocks_) text += std::visit(ToMarkdown{}, block);
  return text;
}

std::string Document::csv() const {
  std::string text = "section,table,row,column,value\n", section;
  for (const Block& block : blocks_) {
    if (const auto* heading = std::get_if<Heading>(&block)) section = heading->text;
    const auto* table = std::get_if<Table>(&block);
    if (table == nullptr) continue;
    for (const auto& row : table->rows) {
      for (std::size_t column = 1; column < row.size(); ++column) {
        text += fmt::format("{},{},{},{},{}\n", quoted(section), quoted(table->title), quoted(row[0]),
                            quoted(table->header[column]), quoted(row[column]));
      }
    }
  }
  return text;
}

}  // namespace whorl::report_app
