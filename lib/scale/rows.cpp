// SPDX-License-Identifier: BSD-3-Clause
#include "scale/rows.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <sstream>
#include <type_traits>

#include "base/error.hpp"
#include "base/file_system.hpp"

namespace whorl::scale {

namespace {

constexpr int most_ranks = 1 << 24;

void append_durably(const std::filesystem::path& file, const std::string& text) {
  append_to_file(file, text);
  sync_file(file);
}

std::string optional_text(const std::optional<std::int64_t>& value) {
  return value ? fmt::format("{}", *value) : "";
}

/// Takes the fields of a line one after the other.
class Fields {
 public:
  Fields(const std::string& line, std::string where) : stream_(line + ","), where_(std::move(where)) {}
  std::string text() {
    std::string field;
    require(static_cast<bool>(std::getline(stream_, field, ',')), "{}: a field is missing", where_);
    return field;
  }
  template <typename T>
  T number() {
    const std::string field = text();
    T value{};
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    require(error == std::errc() && end == field.data() + field.size(), "{}: '{}' is not a number", where_,
            field);
    if constexpr (std::is_floating_point_v<T>)
      require(std::isfinite(value), "{}: '{}' is not finite", where_, field);
    return value;
  }
  std::optional<std::int64_t> optional_number() {
    if (stream_.peek() != ',') return number<std::int64_t>();
    stream_.get();
    return std::nullopt;
  }

 private:
  std::istringstream stream_;
  std::string where_;
};

Row parse_row(const std::string& line, const std::string& where) {
  Fields fields(line, where);
  Row row;
  Point& point = row.timing.point;
  point.workload = fields.text();
  point.scaling = fields.text();
  point.placement = fields.text();
  point.ranks = fields.number<int>();
  point.nodes = fields.number<int>();
  point.threads = fields.number<int>();
  point.batch = fields.number<std::int64_t>();
  point.all_reduce = fields.text();
  row.timing.repeat = fields.number<int>();
  row.pictures = fields.number<std::int64_t>();
  row.seconds = fields.number<double>();
  for (double* part : {&row.split.compute, &row.split.communication, &row.split.input, &row.split.waiting,
                       &row.split.other}) {
    *part = fields.number<double>();
  }
  row.all_reduce_ran = fields.text();
  row.all_reduce_steps = fields.optional_number();
  row.all_reduce_bytes = fields.optional_number();
  row.started = fields.text();
  row.start = fields.number<int>();
  require(row.seconds > 0 && row.pictures > 0 && point.ranks > 0,
          "{}: ranks, pictures and seconds must be more than 0", where);
  require(ranks_in_turn(point.placement).has_value(), "{}: '{}' is no placement", where, point.placement);
  require(point.ranks <= most_ranks, "{}: {} ranks, more than the limit of {}", where, point.ranks,
          most_ranks);
  return row;
}

}  // namespace

std::string csv_header() {
  return "workload,scaling,placement,ranks,nodes,threads,batch,all_reduce,repeat,pictures,seconds,compute,"
         "communication,input,waiting,other,all_reduce_ran,all_reduce_steps,all_reduce_bytes,started,start\n";
}

std::string csv_line(const Row& row) {
  const Point& point = row.timing.point;
  return fmt::format(
      "{},{},{},{},{},{},{},{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{},{},{},{},{}\n",
      point.workload, point.scaling, point.placement, point.ranks, point.nodes, point.threads, point.batch,
      point.all_reduce, row.timing.repeat, row.pictures, row.seconds, row.split.compute,
      row.split.communication, row.split.input, row.split.waiting, row.split.other, row.all_reduce_ran,
      optional_text(row.all_reduce_steps), optional_text(row.all_reduce_bytes), row.started, row.start);
}

std::vector<Row> parse_rows(std::string text, const std::string& file) {
  text.resize(text.rfind('\n') + 1);  // npos + 1 == 0
  require(text.starts_with(csv_header()), "{} does not start with the header of a study's rows: {}", file,
          csv_header());
  std::istringstream lines(text.substr(csv_header().size()));
  std::vector<Row> rows;
  for (std::string line; std::getline(lines, line);)
    rows.push_back(parse_row(line, fmt::format("{} line {}", file, rows.size() + 2)));
  return rows;
}

RowFile::RowFile(std::filesystem::path file) : file_(std::move(file)) {
  if (!std::filesystem::exists(file_)) create_empty_file(file_);
  const std::string text = read_text_file(file_);
  std::filesystem::resize_file(file_, text.rfind('\n') + 1);
  if (text.find('\n') == std::string::npos) append_durably(file_, csv_header());
}

void RowFile::append(const Row& row) {
  append_durably(file_, csv_line(row));
}

}  // namespace whorl::scale
