// SPDX-License-Identifier: BSD-3-Clause
#include "h5/handles.hpp"

#include "base/error.hpp"
#include "base/file_system.hpp"

namespace whorl::h5 {

namespace {

// The outermost reason says what HDF5 could not do, the innermost why.
std::string reason() {
  struct Descriptions {
    std::string outermost, innermost;
  } descriptions;
  const auto visit = [](unsigned depth, const H5E_error2_t* error, void* data) -> herr_t {
    auto* result = static_cast<Descriptions*>(data);
    const std::string text = error->desc != nullptr ? error->desc : "";
    if (depth == 0) result->outermost = text;
    result->innermost = text;
    return 0;
  };
  if (H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, visit, &descriptions) < 0) return "unknown HDF5 error";
  if (descriptions.outermost == descriptions.innermost) return descriptions.outermost;
  return descriptions.outermost + ": " + descriptions.innermost;
}

[[noreturn]] void fail(const std::string& what, const std::string& file) {
  const std::string cause = reason();
  throw Error("cannot {}{}: {}", what, file.empty() ? "" : disk_full_note(file), cause);
}

}  // namespace

std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

hid_t check_id(hid_t id, const std::string& what, const std::string& file) {
  if (id < 0) fail(what, file);
  return id;
}

void check(herr_t status, const std::string& what, const std::string& file) {
  if (status < 0) fail(what, file);
}

void silence_error_printing() {
  check(H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr), "silence HDF5");
}

}  // namespace whorl::h5
