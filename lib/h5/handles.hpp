// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>

#include "base/unique_handle.hpp"

namespace whorl::h5 {

template <herr_t (*Close)(hid_t)>
struct IdTraits {
  static hid_t invalid() { return H5I_INVALID_HID; }
  static void release(hid_t id) noexcept { Close(id); }
};
using Object = UniqueHandle<hid_t, IdTraits<H5Oclose>>;
using Group = UniqueHandle<hid_t, IdTraits<H5Gclose>>;
using DatasetId = UniqueHandle<hid_t, IdTraits<H5Dclose>>;
using Space = UniqueHandle<hid_t, IdTraits<H5Sclose>>;
using Type = UniqueHandle<hid_t, IdTraits<H5Tclose>>;
using Attribute = UniqueHandle<hid_t, IdTraits<H5Aclose>>;
using PropertyList = UniqueHandle<hid_t, IdTraits<H5Pclose>>;

/// HDF5 is not thread-safe (Debian builds it without): while several threads use it, whichever the files,
/// each holds this.
std::mutex& library_mutex();

/// Returns `id` or throws whorl::Error with HDF5's own reason in one line; `what` says what was tried, with
/// the file or object, such as "create train/images in F". If `file` is given, the message says so when its
/// disk is full, which HDF5 does not tell. check() is the same for calls that return a status.
hid_t check_id(hid_t id, const std::string& what, const std::string& file = {});
void check(herr_t status, const std::string& what, const std::string& file = {});

/// Turns off HDF5's printing of error stacks to stderr (check() reports them). Called by every File
/// constructor.
void silence_error_printing();

}  // namespace whorl::h5
