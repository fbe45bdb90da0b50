// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/heartbeat.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace whorl::mpi {

namespace {

constexpr int connect_milliseconds = 2000;

void check_system(int result, const char* what) {
  require(result >= 0, "the watchdog cannot {}: {}", what, system_error_text(errno));
}

Socket make_socket() {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  check_system(socket.get(), "make a socket");
  return socket;
}

}  // namespace

void Heartbeat::set_activity(const std::string& text) {
  activity.fill('\0');
  text.copy(activity.data(), activity.size() - 1);
}

std::string Heartbeat::activity_text() const {
  return {activity.data(), ::strnlen(activity.data(), activity.size())};
}

Link::Link(Socket socket) : socket_(std::move(socket)) {
  // What waits for company (Nagle) is lost when a process ends with something unread. A stranger's
  // connection, already broken, may refuse: that is no error.
  const int at_once = 1;
  static_cast<void>(::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once));
}

std::optional<Link> Link::connect(const std::string& address, std::uint16_t port) {
  Socket socket = make_socket();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return std::nullopt;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    if (errno != EINPROGRESS) return std::nullopt;
    pollfd wait{socket.get(), POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    if (::poll(&wait, 1, connect_milliseconds) != 1 ||
        ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
      return std::nullopt;
  }
  return Link(std::move(socket));
}

void Link::send(const Heartbeat& heartbeat) {
  const ssize_t sent = ::send(socket_.get(), &heartbeat, sizeof heartbeat, MSG_NOSIGNAL | MSG_DONTWAIT);
  // The rest of one that was cut would be taken for the next.
  if (sent > 0 && sent < static_cast<ssize_t>(sizeof heartbeat)) is_broken_ = true;
}

std::vector<Heartbeat> Link::receive() {
  char block[4096];
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), block, sizeof block, MSG_DONTWAIT);
    if (got > 0) {
      received_.append(block, static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      is_broken_ = true;
      break;
    } else if (errno == EAGAIN) {
      break;
    }
  }
  std::vector<Heartbeat> heartbeats(received_.size() / sizeof(Heartbeat));
  const std::size_t whole = heartbeats.size() * sizeof(Heartbeat);
  received_.copy(reinterpret_cast<char*>(heartbeats.data()), whole);
  received_.erase(0, whole);
  return heartbeats;
}

Listener::Listener() : socket_(make_socket()) {
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_ANY);
  check_system(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), "take a port");
  check_system(::listen(socket_.get(), SOMAXCONN), "listen");
  socklen_t size = sizeof any;
  check_system(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&any), &size), "ask for its port");
  port_ = ntohs(any.sin_port);
}

std::optional<Link> Listener::accept() const {
  Socket socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) return std::nullopt;
  return Link(std::move(socket));
}

std::vector<std::string> local_addresses() {
  std::vector<std::string> addresses{"127.0.0.1"};
  ifaddrs* first = nullptr;
  check_system(::getifaddrs(&first), "list the network interfaces");
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET ||
        (entry->ifa_flags & IFF_UP) == 0 || (entry->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    char text[INET_ADDRSTRLEN] = "";
    if (::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr, text,
                    sizeof text))
      addresses.emplace_back(text);
  }
  ::freeifaddrs(first);
  return addresses;
}

}  // namespace whorl::mpi
