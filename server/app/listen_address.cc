#include "server/app/listen_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <string_view>

#include "server/app/app_errors.h"

namespace bitwright::server {
namespace {

constexpr std::string_view kUnix = "unix:";

// −1: it is none.
int PortOf(std::string_view text) {
  int port = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && port >= 0 && port <= 65535 ? port : -1;
}

bool IsLoopback(const std::string& host) {
  in_addr v4;
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return host == "localhost" || host == "[::1]";
}

// So many ports after that of `listen`, on loopback; "off" beside a socket.
std::string LoopbackAfter(const std::string& listen, int ports) {
  if (listen.starts_with(kUnix)) return "off";
  const auto [host, port] = HostAndPortOf(listen);
  constexpr int kLastPort = 65535;
  return (IsLoopback(host) ? host : "127.0.0.1") + ":" +
         std::to_string(port == 0 || port > kLastPort - ports ? 0 : port + ports);
}

}  // namespace

absl::Status CheckListenAddress(const std::string& address, Protection protection) {
  if (address.starts_with(kUnix)) {
    return address.size() > kUnix.size() ? absl::OkStatus() : ListenAddressInvalidError(address);
  }
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || PortOf(std::string_view(address).substr(colon + 1)) < 0) {
    return ListenAddressInvalidError(address);
  }
  if (IsLoopback(address.substr(0, colon)) || (protection.tls && protection.tokens)) return absl::OkStatus();
  std::string missing = protection.tls ? "" : "--tls-cert FILE --tls-key FILE";
  if (!protection.tokens) missing += (missing.empty() ? "" : " and ") + std::string("--tokens-file FILE");
  return PublicPlaintextRefusedError(address, missing);
}

absl::Status CheckWebAddress(const std::string& address, Protection protection) {
  if (address.empty() || address == "off") return absl::OkStatus();
  return address.starts_with(kUnix) ? WebAddressInvalidError(address) : CheckListenAddress(address, protection);
}

std::string MetricsAddressOf(const std::string& listen) { return LoopbackAfter(listen, 1); }
std::string WebAddressOf(const std::string& listen) { return LoopbackAfter(listen, 2); }

std::pair<std::string, int> HostAndPortOf(const std::string& address) {
  const size_t colon = address.rfind(':');
  return {address.substr(0, colon), PortOf(std::string_view(address).substr(colon + 1))};
}

std::string AnyPortOf(const std::string& address) { return address.substr(0, address.rfind(':') + 1) + "0"; }

}  // namespace bitwright::server
