#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proto/base/clock.h"
#include "server/web/site.h"

namespace bitwright::server {

struct WebServerOptions {
  std::string host;       // as a URL has it
  int port = 0;           // 0: any free one
  std::string identity;   // see web_tls.h; empty: plaintext
  std::string client_ca;  // likewise
  SiteOptions site;
};

// The web page of the service: a gateway to its own interface, for people. README.md says what it serves and how it is
// protected.
class WebServer {
 public:
  // `open` and the clock outlive it. WEB_LISTEN_FAILED, WEB_TLS_UNUSABLE.
  static absl::StatusOr<std::unique_ptr<WebServer>> Start(const WebServerOptions& options, OpenInProcess open,
                                                          const Clock& clock);
  ~WebServer();  // Stop, if that was not done

  int port() const;
  std::string url() const;  // "http://127.0.0.1:7073"
  // To be called each second: takes up renewed certificates.
  void Look();
  // Ends all connections and waits for them; the service must still answer calls, or refuse them.
  void Stop();

 private:
  struct State;
  explicit WebServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::server
