#pragma once

#include <memory>
#include <string>
#include <string_view>

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
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address, int most_receive_bytes = 0);

}  // namespace bitwright
