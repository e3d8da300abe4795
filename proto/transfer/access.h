#pragma once

#include <string>

namespace bitwright {

// How a client or worker shows who it is, and by what it knows the server. All empty: plaintext, and nothing is shown.
struct Access {
  std::string token_file;  // its first line is the token
  std::string tls_ca;      // PEM file of the certificates that sign the server's; kSystemCa: those of this machine
  std::string tls_cert;    // PEM files of a certificate of one's own and its key; both or none
  std::string tls_key;

  bool tls() const { return !tls_ca.empty() || !tls_cert.empty() || !tls_key.empty(); }
};

inline constexpr char kSystemCa[] = "system";

// Each part as `given` has it, or else as `otherwise` does.
inline Access Completed(const Access& given, const Access& otherwise) {
  const auto first = [](const std::string& a, const std::string& b) { return a.empty() ? b : a; };
  return {.token_file = first(given.token_file, otherwise.token_file),
          .tls_ca = first(given.tls_ca, otherwise.tls_ca),
          .tls_cert = first(given.tls_cert, otherwise.tls_cert),
          .tls_key = first(given.tls_key, otherwise.tls_key)};
}

}  // namespace bitwright
