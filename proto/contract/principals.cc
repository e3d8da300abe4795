#include "proto/contract/principals.h"

#include <algorithm>

#include "proto/base/random_id.h"
#include "proto/contract/digest.h"

namespace bitwright {

bool IsPrincipalName(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= kMaxPrincipalNameBytes && std::all_of(text.begin(), text.end(), allowed);
}

std::string MakeToken() {
  constexpr int kDigits = 256 / 4;
  return "bw_" + RandomId(kDigits);
}

std::string TokensFileLine(std::string_view name, std::string_view tenant, std::span<const std::string> roles,
                           std::string_view token) {
  std::string line = std::string(name) + ' ' + std::string(tenant) + ' ';
  for (size_t i = 0; i < roles.size(); ++i) line += (i == 0 ? "" : ",") + roles[i];
  return line + ' ' + std::string(kHashedToken) + Sha256Hex(token);
}

}  // namespace bitwright
