#include "server/trace/otlp_endpoint.h"

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "proto/transfer/channel.h"
#include "server/trace/trace_errors.h"

namespace bitwright::server {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kPlain = "http://", kTls = "https://";
constexpr int kLastPort = 65535;

// A scheme is written in any case.
bool TakeScheme(std::string_view scheme, std::string& text) {
  const std::string given = absl::AsciiStrToLower(text.substr(0, scheme.size()));
  if (given != scheme) return false;
  text.erase(0, scheme.size());
  return true;
}

bool IsHostAndPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  const std::string host = address.substr(0, colon), port = address.substr(colon + 1);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find_first_of(":[]") != std::string::npos) return false;
  if (host.find_first_of("/?#@ \t") != std::string::npos || port.find_first_not_of("0123456789") != std::string::npos) {
    return false;
  }
  int number = 0;
  return absl::SimpleAtoi(port, &number) && number > 0 && number <= kLastPort;
}

}  // namespace

absl::StatusOr<OtlpEndpoint> ParseOtlpEndpoint(const std::string& text) {
  OtlpEndpoint endpoint{.address = text};
  if (text.starts_with(kUnix)) {
    return text.size() > kUnix.size() ? absl::StatusOr<OtlpEndpoint>(endpoint) : OtlpEndpointInvalidError(text);
  }
  endpoint.tls = TakeScheme(kTls, endpoint.address);
  if (!endpoint.tls) TakeScheme(kPlain, endpoint.address);
  if (endpoint.address.ends_with('/')) endpoint.address.pop_back();
  if (!IsHostAndPort(endpoint.address)) return OtlpEndpointInvalidError(text);
  if (!endpoint.tls && !IsOnThisMachine(endpoint.address)) return OtlpPlaintextRefusedError(text);
  return endpoint;
}

}  // namespace bitwright::server
