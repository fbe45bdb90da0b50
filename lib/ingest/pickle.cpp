// SPDX-License-Identifier: BSD-3-Clause
// The format: Lib/pickletools.py of CPython, which documents every opcode.
#include "ingest/pickle.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/error.hpp"

namespace whorl::ingest {

namespace {

using Value = Pickle::Value;
using Kind = Pickle::Kind;

// The functions and types that pickles of NumPy arrays name: module and name, and what they stand for here.
constexpr std::string_view make_empty_array = "_reconstruct", make_array = "_frombuffer",
                           array_type = "ndarray", element_type = "dtype", encode_text = "encode";
const std::map<std::string_view, std::string_view> known_functions = {
    {"numpy.core.multiarray _reconstruct", make_empty_array},
    {"numpy._core.multiarray _reconstruct", make_empty_array},
    {"numpy.core.numeric _frombuffer", make_array},
    {"numpy._core.numeric _frombuffer", make_array},
    {"numpy ndarray", array_type},
    {"numpy dtype", element_type},
    {"_codecs encode", encode_text}};

constexpr std::size_t most_values = 1 << 22;  // a CIFAR-10 batch has about 20,000
constexpr std::size_t most_dimensions = 32;   // as in NumPy

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

class Pickle::Machine {
 public:
  Machine(Pickle& pickle, std::span<const std::uint8_t> bytes)
      : pickle_(pickle), bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

  const Value* run() {
    while (!step(take(1)[0])) {
    }
    check(stack_.size() == 1, "wrong end");
    return pop();
  }

 private:
  void check(bool condition, std::string_view what) const {
    require(condition, "damaged pickle, or one beyond what CIFAR-10 needs: {} at byte {}", what, at_);
  }

  std::string_view take(std::uint64_t count) {
    check(count <= bytes_.size() - at_, "unexpected end");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::uint64_t take_unsigned(int width) {
    const std::string_view taken = take(static_cast<std::uint64_t>(width));
    std::uint64_t value = 0;
    for (int i = 0; i < width; ++i) value |= std::uint64_t{static_cast<std::uint8_t>(taken[i])} << (8 * i);
    return value;
  }
  std::string_view take_line() {
    const std::size_t end = bytes_.find('\n', at_);
    check(end != std::string_view::npos, "unexpected end");
    const std::string_view line = take(end - at_);
    take(1);
    return line;
  }

  Value& push(Kind kind) {
    check(pickle_.values_.size() < most_values, "too many values");
    pickle_.values_.push_back({kind, 0, {}, {}});
    stack_.push_back(&pickle_.values_.back());
    return pickle_.values_.back();
  }
  void push_integer(std::int64_t value) { push(Kind::integer).integer = value; }
  void push_text(std::string_view text) { push(Kind::text).text = text; }
  // Each text is decoded at most once in a real file; a hostile one could ask for the same large text again
  // and again.
  void push_recoded(std::string text) {
    recoded_bytes_ += text.size();
    check(recoded_bytes_ <= bytes_.size(), "too much text");
    pickle_.recoded_.push_back(std::move(text));
    push_text(pickle_.recoded_.back());
  }
  Value* pop() {
    check(!stack_.empty() && stack_.back()->kind != Kind::mark, "nothing on the stack");
    Value* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  Value& top(Kind kind) {
    check(!stack_.empty() && stack_.back()->kind == kind, "unexpected type");
    return *stack_.back();
  }
  std::vector<const Value*> pop_to_mark() {
    std::vector<const Value*> values;
    for (;;) {
      check(!stack_.empty(), "no mark on the stack");
      const Value* value = stack_.back();
      stack_.pop_back();
      if (value->kind == Kind::mark) break;
      values.push_back(value);
    }
    std::ranges::reverse(values);
    return values;
  }
  std::vector<const Value*> pop_some(int count) {
    std::vector<const Value*> values(static_cast<std::size_t>(count));
    for (const Value*& value : values) value = pop();
    std::ranges::reverse(values);
    return values;
  }
  static void append(std::vector<const Value*>& to, const std::vector<const Value*>& values) {
    to.insert(to.end(), values.begin(), values.end());
  }

  void remember(std::uint64_t key) {
    check(!stack_.empty(), "nothing on the stack");
    memo_[key] = stack_.back();
  }
  void recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    check(found != memo_.end(), "unknown reference");
    stack_.push_back(found->second);
  }
  std::int64_t parse_integer(std::string_view digits) const {
    if (digits.ends_with('L')) digits.remove_suffix(1);
    std::int64_t value = 0;
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    check(error == std::errc() && last == digits.data() + digits.size(), "not a 64-bit integer");
    return value;
  }
  void push_long(std::size_t width) {
    check(width <= 8, "not a 64-bit integer");
    std::uint64_t value = take_unsigned(static_cast<int>(width));
    const bool negative = width > 0 && value >> (8 * width - 1) != 0;
    if (negative && width < 8) value |= ~std::uint64_t{0} << (8 * width);
    push_integer(static_cast<std::int64_t>(value));
  }

  // The quoted string of protocol 0, as Python 2's repr writes it.
  void push_quoted(std::string_view line) {
    check(line.size() >= 2 && line.front() == line.back() && (line.front() == '\'' || line.front() == '"'),
          "bad string");
    line = line.substr(1, line.size() - 2);
    static const std::map<char, char> escapes = {{'n', '\n'},  {'t', '\t'},  {'r', '\r'},
                                                 {'\\', '\\'}, {'\'', '\''}, {'"', '"'}};
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] != '\\') {
        text += line[i];
        continue;
      }
      check(++i < line.size(), "bad string");
      if (line[i] == 'x') {
        check(i + 2 < line.size() && digit_of(line[i + 1]) >= 0 && digit_of(line[i + 2]) >= 0, "bad string");
        text += static_cast<char>(digit_of(line[i + 1]) * 16 + digit_of(line[i + 2]));
        i += 2;
      } else {
        const auto escape = escapes.find(line[i]);
        check(escape != escapes.end(), "bad string");
        text += escape->second;
      }
    }
    push_recoded(std::move(text));
  }

  // Unicode of protocol 0 has escapes of its own; the names in these files need none.
  void push_plain(std::string_view line) {
    check(std::ranges::all_of(line, [](char c) { return c > 0 && c != '\\'; }),
          "text beyond ASCII in protocol 0 (protocol 2 and above can be read)");
    push_text(line);
  }

  // UTF-8 text of characters up to U+00FF as one byte each: how Python 3 stores bytes in protocols 0 to 2.
  void push_latin1(std::string_view utf8) {
    std::string text;
    text.reserve(utf8.size());
    for (std::size_t i = 0; i < utf8.size(); ++i) {
      const auto byte = static_cast<std::uint8_t>(utf8[i]);
      if (byte < 0x80) {
        text += utf8[i];
        continue;
      }
      check((byte == 0xc2 || byte == 0xc3) && i + 1 < utf8.size(), "text that is not Latin-1");
      text += static_cast<char>((byte & 0x03) << 6 | (utf8[++i] & 0x3f));
    }
    push_recoded(std::move(text));
  }

  void push_function(std::string_view module, std::string_view name) {
    const auto known = known_functions.find(fmt::format("{} {}", module, name));
    if (known == known_functions.end()) {
      throw Error("the pickle asks for Python's {}.{} at byte {}; only NumPy arrays of uint8 are read here",
                  module, name, at_);
    }
    push(Kind::function).text = known->second;
  }
  void push_stack_function() {
    const Value* name = pop();
    const Value* module = pop();
    check(name->kind == Kind::text && module->kind == Kind::text, "unexpected type");
    push_function(module->text, name->text);
  }

  const Value& argument(const Value& arguments, std::size_t index, Kind kind) const {
    check(index < arguments.parts.size() && arguments.parts[index]->kind == kind, "unexpected argument");
    return *arguments.parts[index];
  }
  void check_bytes(const Value& type) const {
    if (type.text != "u1" && type.text != "|u1")
      throw Error("the pickle holds an array of {}, not of uint8 (u1)", type.text);
  }

  // What calling a known function gives.
  void reduce() {
    const Value& arguments = *pop();
    const Value& function = *pop();
    check(function.kind == Kind::function && arguments.kind == Kind::tuple,
          "call of something that is not a function");
    if (function.text == make_empty_array) {
      push(Kind::array);
    } else if (function.text == element_type) {
      push(Kind::type).text = argument(arguments, 0, Kind::text).text;
    } else if (function.text == encode_text) {
      const std::string_view encoding = argument(arguments, 1, Kind::text).text;
      check(encoding == "latin1" || encoding == "latin-1", "text encoding");
      push_latin1(argument(arguments, 0, Kind::text).text);
    } else if (function.text == make_array) {
      check_bytes(argument(arguments, 1, Kind::type));
      check(argument(arguments, 3, Kind::text).text == "C", "array that is not in C order");
      fill_array(push(Kind::array), argument(arguments, 2, Kind::tuple), argument(arguments, 0, Kind::text));
    } else {
      check(false, "call of a type");
    }
  }

  // The state of an array is (version, shape, dtype, Fortran order, bytes); that of a dtype does not matter
  // for uint8.
  void build() {
    const Value& state = *pop();
    check(state.kind == Kind::tuple, "unexpected type");
    check(!stack_.empty(), "nothing on the stack");
    if (stack_.back()->kind == Kind::type) return;
    Value& array = top(Kind::array);
    check_bytes(argument(state, 2, Kind::type));
    check(argument(state, 3, Kind::integer).integer == 0, "array in Fortran order");
    fill_array(array, argument(state, 1, Kind::tuple), argument(state, 4, Kind::text));
  }

  void fill_array(Value& array, const Value& shape, const Value& content) const {
    std::uint64_t size = 1;
    check(shape.parts.size() <= most_dimensions, "array of more dimensions than the limit of 32");
    for (const Value* length : shape.parts) {
      check(
          length->kind == Kind::integer && length->integer >= 0 && length->integer <= (std::int64_t{1} << 31),
          "array shape");
      size *= static_cast<std::uint64_t>(length->integer);
      check(size <= content.text.size(), "array larger than its bytes");
    }
    check(size == content.text.size(), "array smaller than its bytes");
    array.parts = shape.parts;
    array.text = content.text;
  }

  // One opcode; true at the end. Names as in pickletools.
  bool step(char opcode) {
    // clang-format off
    switch (opcode) {
      case '.': return true;                                                              // STOP
      case '\x80': check(take_unsigned(1) <= 5, "protocol"); break;                       // PROTO
      case '\x95': take(8); break;                                                        // FRAME
      case '(': push(Kind::mark); break;                                                  // MARK
      case '0': pop(); break;                                                             // POP
      case 'N': push(Kind::none); break;                                                  // NONE
      case '\x88': push_integer(1); break;                                                // NEWTRUE
      case '\x89': push_integer(0); break;                                                // NEWFALSE
      case 'I':                                                                           // INT
      case 'L': push_integer(parse_integer(take_line())); break;                          // LONG
      case 'J': push_long(4); break;                                                      // BININT
      case 'K': push_integer(static_cast<std::int64_t>(take_unsigned(1))); break;         // BININT1
      case 'M': push_integer(static_cast<std::int64_t>(take_unsigned(2))); break;         // BININT2
      case '\x8a': push_long(take_unsigned(1)); break;                                    // LONG1
      case 'S': push_quoted(take_line()); break;                                          // STRING
      case 'V': push_plain(take_line()); break;                                           // UNICODE
      case 'C':                                                                           // SHORT_BINBYTES
      case 'U':                                                                           // SHORT_BINSTRING
      case '\x8c': push_text(take(take_unsigned(1))); break;                              // SHORT_BINUNICODE
      case 'B':                                                                           // BINBYTES
      case 'T':                                                                           // BINSTRING
      case 'X': push_text(take(take_unsigned(4))); break;                                 // BINUNICODE
      case '\x8e':                                                                        // BINBYTES8
      case '\x96': push_text(take(take_unsigned(8))); break;                              // BYTEARRAY8
      case ']': push(Kind::list); break;                                                  // EMPTY_LIST
      case ')': push(Kind::tuple); break;                                                 // EMPTY_TUPLE
      case '}': push(Kind::dict); break;                                                  // EMPTY_DICT
      case 'l': collect(Kind::list); break;                                               // LIST
      case 't': collect(Kind::tuple); break;                                              // TUPLE
      case 'd': collect(Kind::dict); break;                                               // DICT
      case '\x85': collect(1); break;                                                     // TUPLE1
      case '\x86': collect(2); break;                                                     // TUPLE2
      case '\x87': collect(3); break;                                                     // TUPLE3
      case 'a': add(Kind::list, pop_some(1)); break;                                      // APPEND
      case 'e': add(Kind::list, pop_to_mark()); break;                                    // APPENDS
      case 's': add(Kind::dict, pop_some(2)); break;                                      // SETITEM
      case 'u': add(Kind::dict, pop_to_mark()); break;                                    // SETITEMS
      case 'p': remember(static_cast<std::uint64_t>(parse_integer(take_line()))); break;  // PUT
      case 'q': remember(take_unsigned(1)); break;                                        // BINPUT
      case 'r': remember(take_unsigned(4)); break;                                        // LONG_BINPUT
      case '\x94': remember(memo_.size()); break;                                         // MEMOIZE
      case 'g': recall(static_cast<std::uint64_t>(parse_integer(take_line()))); break;    // GET
      case 'h': recall(take_unsigned(1)); break;                                          // BINGET
      case 'j': recall(take_unsigned(4)); break;                                          // LONG_BINGET
      case 'c': push_line_function(); break;                                              // GLOBAL
      case '\x93': push_stack_function(); break;                                          // STACK_GLOBAL
      case 'R': reduce(); break;                                                          // REDUCE
      case 'b': build(); break;                                                           // BUILD
      default: check(false, fmt::format("opcode {:#04x}", static_cast<std::uint8_t>(opcode)));
    }
    // clang-format on
    return false;
  }

  void collect(Kind kind) {
    std::vector<const Value*> parts = pop_to_mark();
    check(kind != Kind::dict || parts.size() % 2 == 0, "key without a value");
    push(kind).parts = std::move(parts);
  }
  void collect(int count) {
    std::vector<const Value*> parts = pop_some(count);
    push(Kind::tuple).parts = std::move(parts);
  }
  void add(Kind kind, const std::vector<const Value*>& values) {
    check(kind != Kind::dict || values.size() % 2 == 0, "key without a value");
    append(top(kind).parts, values);
  }
  void push_line_function() {
    const std::string_view module = take_line();
    push_function(module, take_line());
  }

  Pickle& pickle_;
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::size_t recoded_bytes_ = 0;
  std::vector<Value*> stack_;
  std::map<std::uint64_t, Value*> memo_;
};

Pickle::Pickle(std::span<const std::uint8_t> bytes) : root_(Machine(*this, bytes).run()) {}

const Pickle::Value* Pickle::find(const Value& dict, std::string_view key) {
  for (std::size_t i = 0; dict.kind == Kind::dict && i + 1 < dict.parts.size(); i += 2) {
    if (dict.parts[i]->kind == Kind::text && dict.parts[i]->text == key) return dict.parts[i + 1];
  }
  return nullptr;
}

}  // namespace whorl::ingest
