// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE and size_t

#include <jpeglib.h>

#include <jerror.h>

namespace whorl::image {

/// libjpeg reports errors through a callback that must not return. It jumps back to `guard_libjpeg`, which
/// throws from there: an exception must not travel through C frames, and a jump must not skip destructors.
struct LibjpegErrors : jpeg_error_mgr {
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = {};

  /// Prepares this manager; assign the result to the `err` of the libjpeg struct.
  jpeg_error_mgr* install();
  /// For callbacks: back to guard_libjpeg, with `message` already set.
  [[noreturn]] void give_up() { std::longjmp(jump, 1); }
};

/// Runs `body`, whose frames own nothing with a destructor; throws `Exception` with libjpeg's message if
/// libjpeg gives up.
template <typename Exception, typename Body>
void guard_libjpeg(LibjpegErrors& errors, const Body& body) {
  if (setjmp(errors.jump) != 0) throw Exception("{}", static_cast<const char*>(errors.message));
  body();
}

}  // namespace whorl::image
