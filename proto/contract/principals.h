#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

// Who calls, as a tokens file of the server lists it and as the command line makes it. One principal a line, of fields
// with spaces between; '#' begins a comment:
//   NAME TENANT ROLE[,ROLE…] sha256:HEX                the SHA-256 of a token, in lower-case hexadecimal
//   NAME TENANT ROLE[,ROLE…] certificate:COMMON-NAME   of a client certificate
namespace bitwright {

// In the order of the server's enum of roles.
inline constexpr std::array<std::string_view, 3> kRoleWords = {"submitter", "operator", "worker"};
inline constexpr std::string_view kHashedToken = "sha256:";
inline constexpr std::string_view kCertificate = "certificate:";
inline constexpr size_t kMaxPrincipalNameBytes = 63;

// Of principals and tenants: 1 to 63 of a-z, 0-9, '.', '_' and '-'.
bool IsPrincipalName(std::string_view text);

// "bw_" and 64 hexadecimal digits: 256 random bits.
std::string MakeToken();

// The line of a tokens file for a token. `roles`: of kRoleWords, at least one; all names were checked.
std::string TokensFileLine(std::string_view name, std::string_view tenant, std::span<const std::string> roles,
                           std::string_view token);

}  // namespace bitwright
