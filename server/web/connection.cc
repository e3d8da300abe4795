#include "server/web/connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace bitwright::server {
namespace {

SSL* NewSsl(SSL_CTX* tls, int socket) {
  if (tls == nullptr) return nullptr;
  SSL* ssl = SSL_new(tls);
  if (ssl != nullptr && SSL_set_fd(ssl, socket) != 1) {
    SSL_free(ssl);
    return nullptr;
  }
  return ssl;
}

sockaddr_storage PeerOf(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) peer.ss_family = AF_UNSPEC;
  return peer;
}

}  // namespace

Connection::Connection(int socket, std::shared_ptr<SSL_CTX> tls, const ConnectionLimits& limits, const Clock& clock)
    : socket_(socket),
      limits_(limits),
      clock_(clock),
      tls_(std::move(tls)),
      ssl_(NewSsl(tls_.get(), socket_.get()), SSL_free) {
  (void)::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
  (void)::fcntl(socket_.get(), F_SETFD, FD_CLOEXEC);
  const int yes = 1;
  (void)::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);  // head and body are two writes
}

Connection::~Connection() {
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());  // said, not waited for
}

bool Connection::Wait(short events, MonotonicTime until) const {
  while (true) {
    const absl::Duration left = until - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) return false;
    pollfd wanted{.fd = socket_.get(), .events = events, .revents = 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

template <typename Step>
ssize_t Connection::Try(const Step& step, short events, MonotonicTime until) {
  while (true) {
    ERR_clear_error();
    const ssize_t done = step();
    if (done > 0) return done;
    if (ssl_ == nullptr) {
      if (done == 0) return 0;
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
    } else {
      const int error = SSL_get_error(ssl_.get(), static_cast<int>(done));
      if (error == SSL_ERROR_ZERO_RETURN) return 0;
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return -1;
      events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    }
    if (!Wait(events, until)) return -1;
  }
}

bool Connection::Handshake() {
  if (tls_ == nullptr) return true;
  if (ssl_ == nullptr) return false;
  return Try([this] { return SSL_accept(ssl_.get()); }, POLLIN, clock_.Monotonic() + limits_.head_time) > 0;
}

ssize_t Connection::Fill() {
  const auto receive = [this]() -> ssize_t {
    if (ssl_ != nullptr) return SSL_read(ssl_.get(), buffer_.data(), static_cast<int>(buffer_.size()));
    return ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
  };
  const ssize_t got = Try(receive, POLLIN, until_);
  begin_ = 0;
  end_ = got > 0 ? static_cast<size_t>(got) : 0;
  return got;
}

bool Connection::AwaitRequest() {
  until_ = clock_.Monotonic() + limits_.idle_time;
  if (begin_ == end_ && Fill() <= 0) return false;
  until_ = clock_.Monotonic() + limits_.head_time;
  left_ = limits_.head_bytes;
  return true;
}

void Connection::BeginBody(int64_t bytes) {
  until_ = clock_.Monotonic() + limits_.body_time;
  left_ = bytes;
}

ssize_t Connection::Read(char* data, size_t size) {
  if (left_ <= 0) return -1;
  if (begin_ == end_) {
    if (const ssize_t got = Fill(); got <= 0) return got;
  }
  const size_t taken = std::min({size, end_ - begin_, static_cast<size_t>(left_)});
  std::memcpy(data, buffer_.data() + begin_, taken);
  begin_ += taken;
  left_ -= static_cast<int64_t>(taken);
  return static_cast<ssize_t>(taken);
}

ssize_t Connection::Write(const char* data, size_t size) {
  constexpr size_t kMostAtOnce = 1 << 20;
  const size_t some = std::min(size, kMostAtOnce);
  const auto send = [&]() -> ssize_t {
    if (ssl_ != nullptr) return SSL_write(ssl_.get(), data, static_cast<int>(some));
    return ::send(socket_.get(), data, some, MSG_NOSIGNAL);
  };
  return Try(send, POLLOUT, clock_.Monotonic() + limits_.write_time);
}

std::string Connection::peer_host() const {
  const sockaddr_storage peer = PeerOf(socket_.get());
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text, sizeof text);
  } else if (peer.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, text, sizeof text);
  }
  return text;
}

int Connection::peer_port() const {
  const sockaddr_storage peer = PeerOf(socket_.get());
  if (peer.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(peer).sin_port);
  if (peer.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(peer).sin6_port);
  return 0;
}

void Connection::Linger() {
  constexpr absl::Duration kMoment = absl::Seconds(2);
  if (ssl_ != nullptr) SSL_shutdown(ssl_.get());
  (void)::shutdown(socket_.get(), SHUT_WR);
  const MonotonicTime end = clock_.Monotonic() + kMoment;
  while (clock_.Monotonic() < end) {
    const ssize_t got = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
    if (got == 0 || (got < 0 && !Wait(POLLIN, end))) return;
  }
}

void Connection::Shutdown() { (void)::shutdown(socket_.get(), SHUT_RDWR); }

}  // namespace bitwright::server
