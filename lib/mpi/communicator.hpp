// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <mpi.h>

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/error.hpp"

namespace whorl::mpi {

/// The MPI datatype of an arithmetic C++ type.
template <typename T>
MPI_Datatype datatype() {
  if constexpr (std::is_same_v<T, float>)
    return MPI_FLOAT;
  else if constexpr (std::is_same_v<T, double>)
    return MPI_DOUBLE;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return MPI_INT32_T;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return MPI_INT64_T;
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return MPI_UINT32_T;
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return MPI_UINT64_T;
  else if constexpr (std::is_same_v<T, std::uint8_t> || std::is_same_v<T, char> ||
                     std::is_same_v<T, std::byte>)
    return MPI_BYTE;
  else
    static_assert(sizeof(T) == 0, "no MPI datatype for this type");
}

/// A communicator and the few collectives that whorl uses off the hot path. All members but rank() and size()
/// are collective over the communicator. Every return code is checked.
class Communicator {
 public:
  /// Refers to MPI_COMM_WORLD without owning it.
  static Communicator world();
  /// Refers to MPI_COMM_SELF without owning it.
  static Communicator self();
  /// Refers to `comm` without owning it.
  static Communicator refer_to(MPI_Comm comm);

  Communicator(Communicator&& other) noexcept;
  Communicator& operator=(Communicator&& other) noexcept;
  /// Frees an owned communicator, unless an exception unwinds: freeing is collective and one rank alone would
  /// hang in it.
  ~Communicator();

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_root() const { return rank_ == 0; }
  MPI_Comm get() const { return comm_; }

  Communicator duplicate() const;
  /// Ranks with equal `color` share the result, ordered by `key`.
  Communicator split(int color, int key) const;
  /// Ranks that share memory (one node).
  Communicator split_by_node() const;
  /// Frees an owned communicator now; throws on failure.
  void close();

  void barrier() const;
  template <typename T>
  void broadcast(std::span<T> values, int root = 0) const {
    check_call(
        MPI_Bcast(values.data(), int_count(values.size()), datatype<std::remove_const_t<T>>(), root, comm_),
        "MPI_Bcast");
  }
  /// Any length; only the root's text matters on entry.
  void broadcast(std::string& text, int root = 0) const;
  template <typename T>
  T sum(T value) const {
    return reduce_all(value, MPI_SUM);
  }
  template <typename T>
  T min(T value) const {
    return reduce_all(value, MPI_MIN);
  }
  template <typename T>
  T max(T value) const {
    return reduce_all(value, MPI_MAX);
  }
  /// Element-wise over ranks, in place.
  template <typename T>
  void sum_in_place(std::span<T> values) const {
    reduce_all_in_place(values, MPI_SUM);
  }
  template <typename T>
  void min_in_place(std::span<T> values) const {
    reduce_all_in_place(values, MPI_MIN);
  }
  /// Sum of `value` over all lower ranks; 0 on rank 0.
  template <typename T>
  T exclusive_sum(T value) const {
    T result{};
    check_call(MPI_Exscan(&value, &result, 1, datatype<T>(), MPI_SUM, comm_), "MPI_Exscan");
    return rank_ == 0 ? T{} : result;
  }
  /// One value of every rank, by rank, on all ranks.
  template <typename T>
  std::vector<T> all_gather(T value) const {
    std::vector<T> all(static_cast<std::size_t>(size_));
    check_call(MPI_Allgather(&value, 1, datatype<T>(), all.data(), 1, datatype<T>(), comm_), "MPI_Allgather");
    return all;
  }
  /// The text of every rank, by rank, on all ranks.
  std::vector<std::string> all_gather(const std::string& text) const;

 private:
  Communicator(MPI_Comm comm, bool owned);
  static void check_call(int code, const char* call);
  /// MPI counts are ints; throws if `count` is not one.
  static int int_count(std::size_t count);
  template <typename T>
  T reduce_all(T value, MPI_Op op) const {
    T result{};
    check_call(MPI_Allreduce(&value, &result, 1, datatype<T>(), op, comm_), "MPI_Allreduce");
    return result;
  }
  template <typename T>
  void reduce_all_in_place(std::span<T> values, MPI_Op op) const {
    check_call(MPI_Allreduce(MPI_IN_PLACE, values.data(), int_count(values.size()), datatype<T>(), op, comm_),
               "MPI_Allreduce");
  }

  MPI_Comm comm_ = MPI_COMM_NULL;
  bool owned_ = false;
  int rank_ = 0, size_ = 1;
};

/// Runs `body` on every rank, then lets the ranks agree: if it threw anywhere, every rank throws
/// CollectiveError with the message of the lowest failing rank (and how many failed). For set-up steps whose
/// failure must not leave other ranks waiting. `body` itself must not communicate. Collective.
template <std::invocable Body>
void together(const Communicator& comm, Body&& body);
/// The same, but only rank 0 runs `body`.
template <std::invocable Body>
void on_root(const Communicator& comm, Body&& body);

/// Implementation of together(): `message` is empty on the ranks that succeeded. Collective.
void agree(const Communicator& comm, const std::string& message);

template <std::invocable Body>
void together(const Communicator& comm, Body&& body) {
  std::string message;
  try {
    body();
  } catch (const std::exception& error) {
    message = describe(error);
  }
  agree(comm, message);
}

template <std::invocable Body>
void on_root(const Communicator& comm, Body&& body) {
  together(comm, [&] {
    if (comm.is_root()) body();
  });
}

}  // namespace whorl::mpi
