#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/auth/call_context.h"

namespace bitwright::server {

// Principals by what proves them. Holds hashes of tokens, never tokens. A value.
class Principals {
 public:
  // The text of a tokens file; `path` is for errors. INVALID_ARGUMENT, reason TOKENS_FILE_INVALID, names file, line and
  // remedy: a line that has not four fields, a name, tenant, role or hash of another form, a name, hash or certificate
  // that stands there twice.
  static absl::StatusOr<Principals> Parse(std::string_view text, const std::string& path);

  // Nobody: a null pointer. It lives as long as this.
  const Principal* OfToken(std::string_view token) const;
  const Principal* OfCertificate(const std::string& common_name) const;

  size_t size() const { return by_token_.size() + by_certificate_.size(); }

 private:
  std::map<std::string, Principal> by_token_;  // by the SHA-256 in hexadecimal
  std::map<std::string, Principal> by_certificate_;
};

// Whether two texts of one length are the same, in a time that does not tell where they differ.
bool SameSecret(std::string_view a, std::string_view b);

}  // namespace bitwright::server
