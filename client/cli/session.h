#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "client/api/client.h"
#include "client/cli/local_server.h"
#include "client/cli/options.h"

namespace bitwright::client {

// The service that a command talks to: the one named by --server or BITWRIGHT_SERVER; else, for quantize and plan, one
// of our own that ends with the session, and for all other commands the default address of bitwrightd.
class Session {
 public:
  // OPTION_CONFLICT: local options together with --server, or access to a service of our own. Errors of
  // LocalServer::Start and of OpenChannel.
  // `data_dir` takes the place of --keep-data-dir; empty: as the options say.
  static absl::StatusOr<std::unique_ptr<Session>> Open(const Options& options, const Environment& environment,
                                                       std::shared_ptr<CancelToken> cancel,
                                                       const std::string& data_dir = {});
  // Whether Open would start a service of our own.
  static bool WouldBeLocal(const Options& options, const Environment& environment);

  Client& client() { return client_; }
  const std::string& address() const { return address_; }
  bool is_local() const { return server_ != nullptr; }
  LocalServer* local_server() { return server_.get(); }  // none: a server that was named
  // A better reason for an error when the local service died.
  absl::Status Explain(const absl::Status& status) { return is_local() ? server_->Explain(status) : status; }

 private:
  Session(std::string address, std::unique_ptr<LocalServer> server, Client client)
      : address_(std::move(address)), server_(std::move(server)), client_(std::move(client)) {}

  const std::string address_;
  std::unique_ptr<LocalServer> server_;
  Client client_;
};

}  // namespace bitwright::client
