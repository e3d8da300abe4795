#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/transfer/access.h"

namespace grpc {
class Channel;
}

namespace bitwright {

// Whether an address ("HOST:PORT", "unix:PATH", or one of gRPC's other forms) leads to this machine without leaving it.
bool IsOnThisMachine(std::string_view address);

// The one way to the service, for clients and agents. Connects on first use and comes back within two seconds of a
// server that was away. A proxy of the environment (http_proxy, no_proxy) is used for other machines only: no proxy
// leads to a socket or to the loopback of this one. `most_receive_bytes`: the largest message accepted; 0: gRPC's own
// bound.
// With access.tls() the connection is TLS 1.2 or newer, and the server must have a certificate for its name in
// `address` that the CA signed; certificates are read once. A token goes with every call (token_interceptor.h), but
// never in clear to another machine. `metadata` goes with every call, too. Errors of access_errors.h, all before
// anything is sent.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const std::string& address, const Access& access = {},
                                                           int most_receive_bytes = 0,
                                                           const std::map<std::string, std::string>& metadata = {});

}  // namespace bitwright
