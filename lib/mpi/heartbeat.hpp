// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.hpp"

// The side channel of the watchdog: TCP (IPv4), apart from MPI, which knows only that nothing comes.
namespace whorl::mpi {

using Socket = Descriptor;

/// What goes over the wire, as it lies in memory: all ranks are of one program and one kind of machine.
struct Heartbeat {
  enum class Kind : std::int32_t {
    alive,
    leaving,  ///< ends its watch in good order
    ending    ///< ends the job
  };
  std::array<char, 32> token{};  ///< of this job; others are not listened to
  std::int32_t rank = 0;
  Kind kind = Kind::alive;
  std::array<char, 88> activity{};  ///< ends with a zero

  void set_activity(const std::string& text);
  std::string activity_text() const;
};
static_assert(sizeof(Heartbeat) == 128);

/// A connection that carries heartbeats. Nothing here waits, but for connect().
class Link {
 public:
  explicit Link(Socket socket);
  /// Nothing if the other side does not answer within two seconds.
  static std::optional<Link> connect(const std::string& address, std::uint16_t port);

  /// Heartbeats that find no room are left out.
  void send(const Heartbeat& heartbeat);
  /// What has come since the last call.
  std::vector<Heartbeat> receive();
  /// The other side is gone.
  bool is_broken() const { return is_broken_; }
  int descriptor() const { return socket_.get(); }

 private:
  Socket socket_;
  std::string received_;
  bool is_broken_ = false;
};

/// Listens on a port of its own on all addresses.
class Listener {
 public:
  Listener();
  std::uint16_t port() const { return port_; }
  std::optional<Link> accept() const;
  int descriptor() const { return socket_.get(); }

 private:
  Socket socket_;
  std::uint16_t port_ = 0;
};

/// Where this host can be reached: the loopback first, then the addresses of its interfaces.
std::vector<std::string> local_addresses();

}  // namespace whorl::mpi
