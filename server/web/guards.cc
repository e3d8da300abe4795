#include "server/web/guards.h"

#include <openssl/sha.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "proto/transfer/channel.h"
#include "server/web/web_errors.h"

namespace bitwright::server {
namespace {

// https://www.w3.org/TR/CSP3/#framework-directive-source-list: 'sha256-' and the digest in base 64.
std::string StyleSource(const std::string& style) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(style.data()), style.size(), digest);
  const std::string bytes(reinterpret_cast<const char*>(digest), sizeof digest);
  return "'sha256-" + absl::Base64Escape(bytes) + "'";
}

}  // namespace

absl::Status CheckHost(const HttpRequest& request) {
  const std::string host = request.Header("host");
  // What gRPC would take for a socket is the name of a host here.
  const bool is_ours = !host.starts_with("unix") && IsOnThisMachine(host);
  return is_ours ? absl::OkStatus() : HostRefusedError(host);
}

absl::Status CheckSameSite(const HttpRequest& request) {
  const std::string site = request.Header("sec-fetch-site");
  if (!site.empty() && site != "same-origin") return CrossSiteRefusedError();
  const std::string origin = request.Header("origin");
  if (origin.empty()) return absl::OkStatus();
  // A proxy in front may have ended TLS, so the scheme is not compared.
  const size_t host = origin.find("://");
  const bool same = host != std::string::npos && origin.substr(host + 3) == request.Header("host");
  return same ? absl::OkStatus() : CrossSiteRefusedError();
}

std::string Cookie(const HttpRequest& request, const std::string& name) {
  const std::string cookies = request.Header("cookie");
  for (absl::string_view cookie : absl::StrSplit(cookies, ';')) {
    cookie = absl::StripAsciiWhitespace(cookie);
    if (absl::ConsumePrefix(&cookie, name + "=")) return std::string(cookie);
  }
  return "";
}

std::string LocalPath(std::string_view path) {
  // "//host" and "/\host" are addresses of other sites to a browser.
  const bool local = path.starts_with('/') && !path.starts_with("//") && path.find('\\') == std::string_view::npos;
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < ' ') return "/";
  }
  return local ? std::string(path) : "/";
}

void AddSecurityHeaders(HttpResponse& response, const std::optional<std::string>& style) {
  const std::string loads = style ? "style-src " + StyleSource(*style)
                                  : std::string("script-src 'self'; style-src 'self'; connect-src 'self'");
  response.With("Content-Security-Policy", "default-src 'none'; " + loads +
                                               "; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; " +
                                               "base-uri 'none'");
  response.With("X-Content-Type-Options", "nosniff");
  // With "no-referrer" a browser would say "Origin: null" of our own forms.
  response.With("Referrer-Policy", "same-origin");
  response.With("Cross-Origin-Opener-Policy", "same-origin");
  response.With("Cross-Origin-Resource-Policy", "same-origin");
}

}  // namespace bitwright::server
