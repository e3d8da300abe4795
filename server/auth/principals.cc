#include "server/auth/principals.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "proto/contract/principals.h"
#include "server/auth/auth_errors.h"

namespace bitwright::server {
namespace {

static_assert(std::size(kEachRole) == kRoleWords.size());

std::vector<std::string> FieldsOf(std::string_view line) {
  return absl::StrSplit(absl::string_view(line.data(), std::min(line.size(), line.find('#'))), absl::ByAnyChar(" \t\r"),
                        absl::SkipEmpty());
}

std::optional<Role> RoleOf(std::string_view word) {
  const auto found = std::find(kRoleWords.begin(), kRoleWords.end(), word);
  if (found == kRoleWords.end()) return std::nullopt;
  return kEachRole[found - kRoleWords.begin()];
}

// Of one line, with what is wrong with it and what to write instead.
class LineParser {
 public:
  LineParser(const std::string& path, int line) : path_(path), line_(line) {}

  absl::StatusOr<Principal> Parse(const std::vector<std::string>& fields) const {
    if (fields.size() != 4) {
      return Wrong("has " + std::to_string(fields.size()) + " fields",
                   "write NAME TENANT ROLE[,ROLE] sha256:HEX, or certificate:COMMON-NAME at the end");
    }
    Principal principal{.name = fields[0], .tenant = fields[1]};
    for (const std::string& name : {principal.name, principal.tenant}) {
      if (!IsPrincipalName(name)) {
        return Wrong("has the name '" + name + "'", "write 1 to 63 of a-z, 0-9, '.', '_' and '-'");
      }
    }
    for (const absl::string_view word : absl::StrSplit(fields[2], ',')) {
      const std::optional<Role> role = RoleOf({word.data(), word.size()});
      if (!role) return Wrong("has the role '" + std::string(word) + "'", "write submitter, operator or worker");
      principal.roles = principal.roles.With(*role);
    }
    return principal;
  }

  absl::Status Wrong(const std::string& what, const std::string& remedy) const {
    return TokensFileInvalidError(path_, line_, what, remedy);
  }

 private:
  const std::string& path_;
  const int line_;
};

}  // namespace

bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

absl::StatusOr<Principals> Principals::Parse(std::string_view text, const std::string& path) {
  Principals principals;
  std::set<std::string> names;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    const LineParser parser(path, ++number);
    const std::vector<std::string> fields = FieldsOf({line.data(), line.size()});
    if (fields.empty()) continue;
    ABSL_ASSIGN_OR_RETURN(Principal principal, parser.Parse(fields));
    if (!names.insert(principal.name).second) {
      return parser.Wrong("names '" + principal.name + "' a second time",
                          "give every token and certificate a name of its own");
    }
    const std::string_view proof = fields[3];
    const bool hashed = proof.starts_with(kHashedToken) && IsSha256Hex(proof.substr(kHashedToken.size()));
    const bool certified = proof.starts_with(kCertificate) && proof.size() > kCertificate.size();
    if (!hashed && !certified) {
      // Not quoted: somebody may have put the token itself there.
      return parser.Wrong("ends with neither sha256:HEX nor certificate:COMMON-NAME",
                          "write the line that `bitwright token new` prints, with 64 hexadecimal digits in lower case");
    }
    auto& of_kind = hashed ? principals.by_token_ : principals.by_certificate_;
    const std::string key(proof.substr(hashed ? kHashedToken.size() : kCertificate.size()));
    if (!of_kind.emplace(key, std::move(principal)).second) {
      return parser.Wrong("has the token or certificate of an earlier line",
                          "make a new one with `bitwright token new`");
    }
  }
  return principals;
}

const Principal* Principals::OfToken(std::string_view token) const {
  const std::string hash = Sha256Hex(token);
  const auto found = by_token_.find(hash);
  return found != by_token_.end() && SameSecret(found->first, hash) ? &found->second : nullptr;
}

const Principal* Principals::OfCertificate(const std::string& common_name) const {
  const auto found = by_certificate_.find(common_name);
  return found != by_certificate_.end() ? &found->second : nullptr;
}

}  // namespace bitwright::server
