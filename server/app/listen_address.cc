#include "server/app/listen_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <string_view>

#include "server/app/app_errors.h"

namespace bitwright::server {
namespace {

bool IsPort(std::string_view text) {
  int port = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 0 && port <= 65535;
}

bool IsLoopback(const std::string& host) {
  in_addr v4;
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return host == "localhost" || host == "[::1]";
}

}  // namespace

absl::Status CheckListenAddress(const std::string& address) {
  constexpr std::string_view kUnix = "unix:";
  if (address.starts_with(kUnix)) {
    return address.size() > kUnix.size() ? absl::OkStatus() : ListenAddressInvalidError(address);
  }
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || !IsPort(std::string_view(address).substr(colon + 1))) {
    return ListenAddressInvalidError(address);
  }
  return IsLoopback(address.substr(0, colon)) ? absl::OkStatus() : PublicPlaintextRefusedError(address);
}

}  // namespace bitwright::server
