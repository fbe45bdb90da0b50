// SPDX-License-Identifier: BSD-3-Clause
#include "h5/file.hpp"

#include <exception>
#include <utility>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "mpi/check.hpp"

namespace whorl::h5 {

namespace {

PropertyList make_properties(hid_t kind) {
  return PropertyList(check_id(H5Pcreate(kind), "make a property list"));
}

PropertyList access_properties() {
  PropertyList list = make_properties(H5P_FILE_ACCESS);
  check(H5Pset_libver_bounds(list.get(), H5F_LIBVER_V18, H5F_LIBVER_LATEST), "set the format version");
  check(H5Pset_alignment(list.get(), 4096, 4096), "set the alignment");
  check(H5Pset_fclose_degree(list.get(), H5F_CLOSE_STRONG), "set the close degree");
  return list;
}

PropertyList parallel_access_properties(MPI_Comm comm) {
  PropertyList list = access_properties();
  check(H5Pset_fapl_mpio(list.get(), comm, MPI_INFO_NULL), "select MPI-IO");
  check(H5Pset_coll_metadata_write(list.get(), true), "make metadata collective");
  check(H5Pset_all_coll_metadata_ops(list.get(), true), "make metadata collective");
  return list;
}

hid_t create_hdf5(const std::string& path, const PropertyList& access) {
  const PropertyList creation = make_properties(H5P_FILE_CREATE);
  check(H5Pset_obj_track_times(creation.get(), false), "turn off time stamps");
  // More than 8 attributes would move to a structure of their own, and leave a gap behind that HDF5 1.10
  // fills with whatever was in its memory: equal contents would not give equal bytes.
  check(H5Pset_attr_phase_change(creation.get(), 64, 0), "keep the attributes together");
  return check_id(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), "create " + path,
                  path);
}

}  // namespace

File File::create_parallel(const mpi::Communicator& comm, const std::filesystem::path& path) {
  silence_error_printing();
  mpi::on_root(comm, [&] { create_empty_file(path); });
  return {create_hdf5(path.string(), parallel_access_properties(comm.get())), path.string(), comm.get()};
}

File File::create(const std::filesystem::path& path) {
  silence_error_printing();
  create_empty_file(path);
  return {create_hdf5(path.string(), access_properties()), path.string(), MPI_COMM_NULL};
}

File File::open_read(const std::filesystem::path& path) {
  silence_error_printing();
  require_readable(path);
  const std::string name = path.string();
  const htri_t is_hdf5 = H5Fis_hdf5(name.c_str());
  check(is_hdf5, "read " + name);
  require(is_hdf5 != 0, "cannot read {}: it is not an HDF5 file", name);
  const PropertyList access = access_properties();
  return {check_id(H5Fopen(name.c_str(), H5F_ACC_RDONLY, access.get()), "open " + name), name, MPI_COMM_NULL};
}

File::File(File&& other) noexcept
    : id_(std::exchange(other.id_, H5I_INVALID_HID)), path_(std::move(other.path_)), comm_(other.comm_) {}

File& File::operator=(File&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(path_, other.path_);
  std::swap(comm_, other.comm_);
  return *this;
}

File::~File() {
  if (id_ != H5I_INVALID_HID && !(is_parallel() && std::uncaught_exceptions() > 0)) H5Fclose(id_);
}

void File::close() {
  if (id_ == H5I_INVALID_HID) return;
  check(H5Fclose(std::exchange(id_, H5I_INVALID_HID)), "finish " + path_, path_);
}

void File::share_writes() const {
  check(H5Fflush(id_, H5F_SCOPE_GLOBAL), "write " + path_, path_);
  mpi::check(MPI_Barrier(comm_), "MPI_Barrier");
  check(H5Fflush(id_, H5F_SCOPE_GLOBAL), "write " + path_, path_);
}

bool File::contains(const std::string& name) const {
  for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
    const htri_t exists = H5Lexists(id_, name.substr(0, end).c_str(), H5P_DEFAULT);
    check(exists, "look up " + name + " in " + path_);
    if (exists == 0 || end == std::string::npos) return exists != 0;
  }
}

}  // namespace whorl::h5
