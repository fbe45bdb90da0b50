// SPDX-License-Identifier: BSD-3-Clause
#include <functional>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "h5/create_dataset.hpp"
#include "h5/file.hpp"
#include "h5/types.hpp"

namespace whorl::h5 {

namespace {

// Step by step, because groups that HDF5 creates on its own carry time stamps.
void make_parent_groups(const File& file, const std::string& name) {
  const PropertyList creation(check_id(H5Pcreate(H5P_GROUP_CREATE), "make a property list"));
  check(H5Pset_obj_track_times(creation.get(), false), "turn off time stamps");
  for (std::size_t end = name.find('/', 1); end != std::string::npos; end = name.find('/', end + 1)) {
    const std::string group = name.substr(0, end);
    if (file.contains(group)) continue;
    const Group created(
        check_id(H5Gcreate2(file.id(), group.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                 "create the group " + group + " in " + file.path()));
  }
}

std::vector<hsize_t> shape_of(hid_t dataset, const std::string& what) {
  const Space space(check_id(H5Dget_space(dataset), what));
  const int rank = H5Sget_simple_extent_ndims(space.get());
  check(rank, what);
  std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr), what);
  return shape;
}

Space make_space(const std::vector<hsize_t>& shape) {
  return Space(
      check_id(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), "describe a shape"));
}

void reserve_rows(const File& file, const DatasetId& dataset) {
  const auto reserve = [&] {
    const haddr_t offset = H5Dget_offset(dataset.get());
    if (offset == HADDR_UNDEF) return;  // no elements
    reserve_space(file.path(), static_cast<std::int64_t>(offset),
                  static_cast<std::int64_t>(H5Dget_storage_size(dataset.get())));
  };
  if (!file.is_parallel()) return reserve();
  mpi::on_root(mpi::Communicator::refer_to(file.comm()), reserve);
}

void require_collective(const PropertyList& transfer, const std::string& what) {
  H5D_mpio_actual_io_mode_t mode = H5D_MPIO_NO_COLLECTIVE;
  check(H5Pget_mpio_actual_io_mode(transfer.get(), &mode), "ask how " + what + " was transferred");
  std::uint32_t local = 0;
  std::uint32_t global = 0;
  check(H5Pget_mpio_no_collective_cause(transfer.get(), &local, &global),
        "ask how " + what + " was transferred");
  require(mode != H5D_MPIO_NO_COLLECTIVE && global == 0,
          "{} was not written collectively (mode {}, cause 0x{:x} here, 0x{:x} on all ranks)", what,
          static_cast<int>(mode), local, global);
}

}  // namespace

void require_stored(const File& file, const DatasetId& dataset, const std::string& what) {
  constexpr hsize_t best_compression = 1100;  // deflate's is 1032 to 1
  constexpr hsize_t most = hsize_t{1} << 62;
  const Type type(check_id(H5Dget_type(dataset.get()), "read the type of " + what));
  hsize_t bytes = H5Tget_size(type.get());
  for (const hsize_t extent : shape_of(dataset.get(), "read the shape of " + what)) {
    require(extent == 0 || bytes <= most / extent,
            "{} is damaged: it claims more elements than any file holds", what);
    bytes *= extent;
  }
  const hsize_t stored = H5Dget_storage_size(dataset.get());
  hsize_t file_size = 0;
  check(H5Fget_filesize(file.id(), &file_size), "read the size of " + file.path());
  require(stored <= file_size && bytes / best_compression <= stored,
          "{} is damaged: it claims {} bytes, of which {} are stored in a file of {}", what, bytes, stored,
          file_size);
  const PropertyList creation(check_id(H5Dget_create_plist(dataset.get()), "read the layout of " + what));
  if (bytes == 0 || H5Pget_layout(creation.get()) != H5D_CONTIGUOUS ||
      H5Pget_external_count(creation.get()) != 0)
    return;
  const haddr_t offset = H5Dget_offset(dataset.get());
  require(bytes == stored && offset <= file_size - stored,
          "{} is damaged: its {} bytes do not lie within the file", what, bytes);
}

DatasetId create_dataset(const File& file, const std::string& name, hid_t type,
                         const std::vector<hsize_t>& shape) {
  make_parent_groups(file, name);
  const PropertyList creation(check_id(H5Pcreate(H5P_DATASET_CREATE), "make a property list"));
  check(H5Pset_obj_track_times(creation.get(), false), "turn off time stamps");
  check(H5Pset_layout(creation.get(), H5D_CONTIGUOUS), "set the layout");
  check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), "set the allocation");
  check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), "set the filling");
  const Space space = make_space(shape);
  const hid_t id =
      H5Dcreate2(file.id(), name.c_str(), type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT);
  DatasetId dataset(check_id(id, "create " + name + " in " + file.path(), file.path()));
  reserve_rows(file, dataset);
  return dataset;
}

Dataset::Dataset(DatasetId id, const File& file, const std::string& name)
    : id_(std::move(id)),
      name_(name),
      path_(file.path()),
      shape_(shape_of(id_.get(), "read the shape of " + name + " in " + file.path())),
      parallel_(file.is_parallel()) {}

template <typename T>
Dataset Dataset::create(const File& file, const std::string& name, const std::vector<hsize_t>& shape) {
  return {create_dataset(file, name, native_type<T>(), shape), file, name};
}

Dataset Dataset::open(const File& file, const std::string& name) {
  const std::string what = name + " in " + file.path();
  DatasetId id(check_id(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), "open " + what));
  if (!file.is_parallel()) require_stored(file, id, what);
  return {std::move(id), file, name};
}

hsize_t Dataset::row_size() const {
  return shape_.empty() ? 0
                        : std::accumulate(shape_.begin() + 1, shape_.end(), hsize_t{1}, std::multiplies<>());
}

std::int64_t Dataset::file_offset() const {
  const PropertyList creation(check_id(H5Dget_create_plist(id_.get()), "read the layout of " + name_));
  const int external_files = H5Pget_external_count(creation.get());
  check(external_files, "read the layout of " + name_);
  if (H5Pget_layout(creation.get()) != H5D_CONTIGUOUS || external_files > 0) return -1;
  const haddr_t offset = H5Dget_offset(id_.get());
  return offset == HADDR_UNDEF ? -1 : static_cast<std::int64_t>(offset);
}

bool Dataset::is_chunked() const {
  const PropertyList creation(check_id(H5Dget_create_plist(id_.get()), "read the layout of " + name_));
  return H5Pget_layout(creation.get()) == H5D_CHUNKED;
}

std::int64_t Dataset::stored_bytes() const {
  return static_cast<std::int64_t>(H5Dget_storage_size(id_.get()));
}

hsize_t Dataset::rows_of(std::size_t elements, hsize_t first) const {
  const hsize_t size = row_size();
  const hsize_t count = size == 0 ? 0 : elements / size;
  require(count * size == elements, "{} elements are not whole rows of {} (rows of {})", elements, name_,
          size);
  require(first <= rows() && count <= rows() - first, "{} in {} has {} rows; {} from {} on do not exist",
          name_, path_, rows(), count, first);
  return count;
}

Space Dataset::select_rows(hsize_t first, hsize_t count) const {
  Space space = make_space(shape_);
  if (count == 0) {
    check(H5Sselect_none(space.get()), "select no rows of " + name_);
    return space;
  }
  std::vector<hsize_t> start(shape_.size(), 0);
  std::vector<hsize_t> extent = shape_;
  start[0] = first;
  extent[0] = count;
  check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr),
        "select rows of " + name_);
  return space;
}

void Dataset::write(hid_t type, hsize_t first, hsize_t count, const void* values,
                    hid_t transfer_properties) const {
  const Space in_file = select_rows(first, count);
  const Space in_memory = make_space({count * row_size()});
  check(H5Dwrite(id_.get(), type, in_memory.get(), in_file.get(), transfer_properties, values),
        "write " + name_ + " in " + path_, path_);
}

template <typename T>
void Dataset::write_rows(hsize_t first, std::span<const T> values) const {
  const hsize_t count = rows_of(values.size(), first);
  if (count > 0) write(native_type<T>(), first, count, values.data(), H5P_DEFAULT);
}

template <typename T>
void Dataset::write_rows_all(hsize_t first, std::span<const T> values) const {
  require(parallel_, "{} was not opened in parallel", path_);
  const hsize_t count = rows_of(values.size(), first);
  if (rows() * row_size() == 0) return;
  const PropertyList transfer(check_id(H5Pcreate(H5P_DATASET_XFER), "make a property list"));
  check(H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE), "ask for a collective transfer");
  write(native_type<T>(), first, count, values.data(), transfer.get());
  require_collective(transfer, name_ + " in " + path_);
}

template <typename T>
void Dataset::read_rows(hsize_t first, std::span<T> values) const {
  const hsize_t count = rows_of(values.size(), first);
  if (count == 0) return;
  const Space in_file = select_rows(first, count);
  const Space in_memory = make_space({values.size()});
  check(H5Dread(id_.get(), native_type<T>(), in_memory.get(), in_file.get(), H5P_DEFAULT, values.data()),
        "read " + name_ + " in " + path_);
}

template <typename T>
std::vector<T> Dataset::read_all() const {
  std::vector<T> values(rows() * row_size());
  read_rows(0, std::span<T>(values));
  return values;
}

#define WHORL_INSTANTIATE(T)                                                                         \
  template Dataset Dataset::create<T>(const File&, const std::string&, const std::vector<hsize_t>&); \
  template void Dataset::write_rows<T>(hsize_t, std::span<const T>) const;                           \
  template void Dataset::write_rows_all<T>(hsize_t, std::span<const T>) const;                       \
  template void Dataset::read_rows<T>(hsize_t, std::span<T>) const;                                  \
  template std::vector<T> Dataset::read_all<T>() const;
WHORL_INSTANTIATE(std::uint8_t)
WHORL_INSTANTIATE(std::int32_t)
WHORL_INSTANTIATE(std::int64_t)
WHORL_INSTANTIATE(std::uint64_t)
WHORL_INSTANTIATE(float)
WHORL_INSTANTIATE(double)
#undef WHORL_INSTANTIATE

}  // namespace whorl::h5
