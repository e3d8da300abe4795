#include "workers/agent/card_lock.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace bitwright::worker {

bool CardLock::Take(const std::string& card_id) {
  OwnedFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return true;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // The first byte stays 0: a name outside the file system.
  const std::string name = "bitwright-worker-card-" + card_id;
  const size_t length = std::min(name.size(), sizeof address.sun_path - 1);
  std::copy_n(name.begin(), length, address.sun_path + 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return errno != EADDRINUSE;
  socket_ = std::move(socket);
  return true;
}

}  // namespace bitwright::worker
