#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proto/base/clock.h"
#include "server/web/connection.h"
#include "server/web/http.h"
#include "server/web/web_tls.h"

namespace bitwright::server {

struct HttpServerOptions {
  std::string host;             // as a URL has it: "127.0.0.1", "[::1]"
  int port = 0;                 // 0: any free one
  const WebTls* tls = nullptr;  // outlives the server; none: plaintext
  ConnectionLimits limits;
  int most_connections = 256;  // further ones wait until one ends
};

// HTTP/1.1 for GET, HEAD and POST, each connection on a thread of its own. cpp-httplib reads requests and writes
// responses; it is seen by the source of this class alone. What the client may send is bounded by Connection. Content
// is never compressed, and ranges are not served.
class HttpServer {
 public:
  // `handler` is called from many threads at once; it and the clock outlive the server. WEB_LISTEN_FAILED.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, HttpHandler handler,
                                                           const Clock& clock);
  ~HttpServer();  // Stop, if that was not done

  int port() const;
  // Accepts nothing more, cuts off all connections and waits until their handlers have returned.
  void Stop();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::server
