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

}  // namespace bitwright
