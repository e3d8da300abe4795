#include "proto/transfer/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "proto/base/files.h"
#include "proto/base/status_macros.h"
#include "proto/transfer/access_errors.h"
#include "proto/transfer/metadata_interceptor.h"
#include "proto/transfer/token_interceptor.h"

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

// gRPC takes bytes that are no certificate, and then fails every connection without saying why.
absl::StatusOr<std::string> ReadPem(const std::string& path, std::string_view what) {
  ABSL_ASSIGN_OR_RETURN(std::string pem, ReadWholeFile(path, AccessFileUnreadableError));
  if (pem.find("-----BEGIN ") == std::string::npos) return PemInvalidError(path, what);
  return pem;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(const Access& access) {
  if (!access.tls()) return grpc::InsecureChannelCredentials();
  if (access.tls_cert.empty() != access.tls_key.empty()) {
    return access.tls_key.empty() ? TlsOptionsIncompleteError("--tls-cert", "--tls-key")
                                  : TlsOptionsIncompleteError("--tls-key", "--tls-cert");
  }
  if (access.tls_ca.empty()) return TlsOptionsIncompleteError("--tls-cert", "--tls-ca");
  grpc::SslCredentialsOptions options;
  if (access.tls_ca != kSystemCa) {
    ABSL_ASSIGN_OR_RETURN(options.pem_root_certs, ReadPem(access.tls_ca, "certificates"));
  }
  if (!access.tls_cert.empty()) {
    ABSL_ASSIGN_OR_RETURN(options.pem_cert_chain, ReadPem(access.tls_cert, "certificate"));
    ABSL_ASSIGN_OR_RETURN(options.pem_private_key, ReadPem(access.tls_key, "key"));
  }
  return grpc::SslCredentials(options);
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

absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const std::string& address, const Access& access,
                                                           int most_receive_bytes,
                                                           const std::map<std::string, std::string>& metadata) {
  ABSL_ASSIGN_OR_RETURN(const auto credentials, CredentialsOf(access));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  // By this name gRPC means how long one attempt may take: what a far or busy server needs for its part of a handshake.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  if (most_receive_bytes > 0) arguments.SetMaxReceiveMessageSize(most_receive_bytes);
  if (IsOnThisMachine(address)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
  if (!access.token_file.empty()) {
    if (!access.tls() && !IsOnThisMachine(address)) return TokenNeedsTlsError(address);
    ABSL_ASSIGN_OR_RETURN(std::shared_ptr<TokenSource> token, TokenSource::Open(access.token_file));
    interceptors.push_back(TokenInterceptor(std::move(token)));
  }
  if (!metadata.empty()) interceptors.push_back(MetadataInterceptor(metadata));
  if (interceptors.empty()) return grpc::CreateCustomChannel(address, credentials, arguments);
  return grpc::experimental::CreateCustomChannelWithInterceptors(address, credentials, arguments,
                                                                 std::move(interceptors));
}

}  // namespace bitwright
