// SPDX-License-Identifier: BSD-3-Clause
#include "image/libjpeg.hpp"

namespace whorl::image {
namespace {

[[noreturn]] void on_error(j_common_ptr info) {
  auto* errors = static_cast<LibjpegErrors*>(info->err);
  errors->format_message(info, errors->message);
  errors->give_up();
}

/// Which of libjpeg's warnings mean that pixels are missing or wrong. It goes on after any of them, with
/// invented pixels after these:
bool means_damage(int message_code) {
  switch (message_code) {
    case JWRN_JPEG_EOF:        // the file ends before its end marker
    case JWRN_HIT_MARKER:      // a scan ends before its last block; the rest would be grey
    case JWRN_HUFF_BAD_CODE:   // a bit pattern that no Huffman code has
    case JWRN_ARITH_BAD_CODE:  // the same in arithmetic coding
    case JWRN_MUST_RESYNC:     // a restart marker is missing or out of order: blocks were lost
      return true;
    default:
      // JWRN_EXTRANEOUS_DATA: bytes between segments are skipped, and damage inside a scan shows up as one of
      // the above. JWRN_NOT_SEQUENTIAL: old encoders leave these fields zero; libjpeg ignores them.
      // JWRN_BOGUS_PROGRESSION: an unusual order of scans, each of which is still applied.
      // JWRN_ADOBE_XFORM, JWRN_JFIF_MAJOR, JWRN_BOGUS_ICC: metadata of a newer or careless writer.
      return false;
  }
}

/// Traces have level >= 0 and are not wanted. Stopping at the first damage also bounds the time that a small
/// file with a huge header can cost.
void on_message(j_common_ptr info, int level) {
  if (level < 0 && means_damage(info->err->msg_code)) on_error(info);
}

}  // namespace

jpeg_error_mgr* LibjpegErrors::install() {
  jpeg_std_error(this);
  error_exit = on_error;
  emit_message = on_message;
  return this;
}

}  // namespace whorl::image
