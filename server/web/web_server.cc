#include "server/web/web_server.h"

#include <utility>

#include "proto/base/status_macros.h"
#include "server/web/http_server.h"
#include "server/web/web_tls.h"

namespace bitwright::server {

struct WebServer::State {
  State(const WebServerOptions& options, OpenInProcess open, const Clock& clock)
      : host(options.host), site(options.site, std::move(open), clock) {}
  const std::string host;
  std::unique_ptr<WebTls> tls;
  Site site;
  std::unique_ptr<HttpServer> http;  // before what its handlers use
};

WebServer::WebServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Start(const WebServerOptions& options, OpenInProcess open,
                                                            const Clock& clock) {
  auto state = std::make_unique<State>(options, std::move(open), clock);
  if (!options.identity.empty()) {
    ABSL_ASSIGN_OR_RETURN(state->tls, WebTls::Open(options.identity, options.client_ca));
  }
  const HttpServerOptions http{.host = options.host, .port = options.port, .tls = state->tls.get()};
  const auto answer = [&site = state->site](HttpRequest& request) { return site.Answer(request); };
  ABSL_ASSIGN_OR_RETURN(state->http, HttpServer::Start(http, answer, clock));
  return std::unique_ptr<WebServer>(new WebServer(std::move(state)));
}

WebServer::~WebServer() { Stop(); }

int WebServer::port() const { return state_->http->port(); }

std::string WebServer::url() const {
  return (state_->tls != nullptr ? "https://" : "http://") + state_->host + ":" + std::to_string(port());
}

void WebServer::Look() {
  if (state_->tls != nullptr) state_->tls->Look();
}

void WebServer::Stop() {
  state_->site.Cancel();
  state_->http->Stop();
}

}  // namespace bitwright::server
