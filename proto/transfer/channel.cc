#include "proto/transfer/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>

namespace bitwright {
namespace {

bool IsLoopbackV4(std::string_view host) {
  return host == "0.0.0.0" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

// The host of "HOST:PORT", "[HOST]:PORT" or "HOST".
std::string_view HostOf(std::string_view address) {
  if (address.starts_with('[')) return address.substr(1, address.find(']') - 1);
  const size_t colon = address.find(':');
  // A second colon: a bare IPv6 address without a port.
  return address.find(':', colon + 1) == std::string_view::npos || colon == std::string_view::npos
             ? address.substr(0, colon)
             : address;
}

}  // namespace

bool IsOnThisMachine(std::string_view address) {
  if (address.starts_with("unix:") || address.starts_with("unix-abstract:")) return true;
  for (const std::string_view scheme : {"dns:///", "dns:", "ipv4:", "ipv6:"}) {
    if (!address.starts_with(scheme)) continue;
    address.remove_prefix(scheme.size());
    break;
  }
  const std::string_view host = HostOf(address);
  return host == "localhost" || host == "::1" || host == "::" || IsLoopbackV4(host);
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address, int most_receive_bytes) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  if (most_receive_bytes > 0) arguments.SetMaxReceiveMessageSize(most_receive_bytes);
  if (IsOnThisMachine(address)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace bitwright
