// SPDX-License-Identifier: BSD-3-Clause
#include "dataset/stored_rows.hpp"

#include "h5/types.hpp"

namespace whorl::dataset {

namespace {

bool has_native_type(const h5::File& file, const std::string& name, hid_t native) {
  const std::string what = "read the type of " + name + " in " + file.path();
  const h5::DatasetId dataset(h5::check_id(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), what));
  const h5::Type type(h5::check_id(H5Dget_type(dataset.get()), what));
  return H5Tequal(type.get(), native) > 0;
}

}  // namespace

template <typename T>
StoredRows<T>::StoredRows(const h5::File& file, const std::string& name)
    : dataset_(h5::Dataset::open(file, name)), name_(name), row_bytes_(dataset_.row_size() * sizeof(T)) {
  if (has_native_type(file, name, h5::native_type<T>())) offset_ = dataset_.file_offset();
}

template <typename T>
std::int64_t StoredRows<T>::position(std::uint64_t row) const {
  return offset_ + static_cast<std::int64_t>(row * row_bytes_);
}

template <typename T>
void StoredRows<T>::read(const StableFile& bytes, std::uint64_t first, std::span<T> out) const {
  if (offset_ >= 0) return bytes.read(position(first), std::as_writable_bytes(out), name_);
  const std::lock_guard lock(h5::library_mutex());
  dataset_.read_rows<T>(first, out);
}

template <typename T>
void StoredRows<T>::will_need(const StableFile& bytes, std::uint64_t first, std::uint64_t count) const {
  if (offset_ >= 0) bytes.will_need(position(first), static_cast<std::int64_t>(count * row_bytes_));
}

template class StoredRows<std::uint8_t>;
template class StoredRows<std::int32_t>;
template class StoredRows<std::uint64_t>;

}  // namespace whorl::dataset
