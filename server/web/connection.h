#pragma once

#include <openssl/ossl_typ.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/owned_fd.h"

namespace bitwright::server {

// How much a client of the web page may send, and how long it may take. The HTTP library of Debian 12 bounds neither
// the head of a request nor the time that it takes (CVE-2025-53628), so the connection does.
struct ConnectionLimits {
  int64_t head_bytes = 16 << 10;                  // request line and headers
  absl::Duration head_time = absl::Seconds(10);   // from its first byte, or for the handshake of TLS
  absl::Duration body_time = absl::Minutes(2);    // of one request
  absl::Duration write_time = absl::Seconds(20);  // in which a client must take something
  absl::Duration idle_time = absl::Seconds(15);   // between two requests
};

// One accepted connection, plaintext or TLS. What it cannot read or write in time ends it. For one thread, but for
// Shutdown.
class Connection {
 public:
  // Takes the socket over. `tls` is that of the service; none: plaintext.
  Connection(int socket, std::shared_ptr<SSL_CTX> tls, const ConnectionLimits& limits, const Clock& clock);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Once, before all else; false: there is no common TLS, or the client has no certificate that it needs.
  bool Handshake();
  // Whether another request begins before the client is idle for too long. What follows is its head.
  bool AwaitRequest();
  // The head was read; its body has so many bytes.
  void BeginBody(int64_t bytes);
  // Bytes of the body that were not read.
  int64_t unread_bytes() const { return left_; }

  // Some bytes, at most `size`; 0: the client sends no more; −1: it takes too long, sends too much, or is gone.
  ssize_t Read(char* data, size_t size);
  // Some of the bytes; −1: the client takes none, or is gone.
  ssize_t Write(const char* data, size_t size);

  bool encrypted() const { return ssl_ != nullptr; }
  std::string peer_host() const;
  int peer_port() const;
  // Ends reads and writes that wait, from any thread.
  void Shutdown();
  // Before the end of a connection whose client still sends: takes and drops what comes for a moment, since a client
  // that finds the connection reset would not read its answer.
  void Linger();

 private:
  // Waits until the socket can be read (POLLIN) or written (POLLOUT); false: not before `until`.
  bool Wait(short events, MonotonicTime until) const;
  // Makes `step` again and again until it does something or `until` has passed.
  template <typename Step>
  ssize_t Try(const Step& step, short events, MonotonicTime until);
  ssize_t Fill();

  const OwnedFd socket_;
  const ConnectionLimits limits_;
  const Clock& clock_;
  const std::shared_ptr<SSL_CTX> tls_;
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  MonotonicTime until_;  // of what is read now
  int64_t left_ = 0;     // bytes that may still be read of it
  std::array<char, 16 << 10> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace bitwright::server
