#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::server {

// Whether a certificate, with those that lead up from it to a root, and a key can serve: both are PEM, the key is not
// encrypted and belongs to the first certificate. `certificate_path` and `key_path` are for errors.
// TLS_FILE_INVALID, TLS_KEY_MISMATCH.
absl::Status CheckIdentity(const std::string& certificate, const std::string& key, const std::string& certificate_path,
                           const std::string& key_path);
// Whether it holds at least one certificate. TLS_FILE_INVALID.
absl::Status CheckClientCa(const std::string& certificates, const std::string& path);

}  // namespace bitwright::server
