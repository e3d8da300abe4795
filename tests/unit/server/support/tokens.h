#pragma once

#include <string>
#include <vector>

#include "proto/contract/principals.h"

namespace bitwright::server {

// The line of a tokens file for a token that is named like its principal.
inline std::string LineFor(const std::string& name, const std::vector<std::string>& roles,
                           const std::string& tenant = "default") {
  return TokensFileLine(name, tenant, roles, "token-of-" + name) + "\n";
}
inline std::string TokenOf(const std::string& name) { return "token-of-" + name; }

}  // namespace bitwright::server
