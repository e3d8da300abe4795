#include "server/resources/pages.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/escaping.h"
#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "proto/contract/limits.h"
#include "server/resources/resource_errors.h"

namespace bitwright::server {
namespace {

// Ties a token to its query. Not a secret: a forged token can only move a caller's own page.
std::string Check(std::string_view place, std::string_view query) {
  return Sha256Hex(std::string(query) + "|" + std::string(place)).substr(0, 12);
}

std::string Token(const std::string& place, std::string_view query) {
  return absl::WebSafeBase64Escape(Check(place, query) + "." + place);
}

// PAGE_TOKEN_INVALID.
absl::StatusOr<std::string> PlaceOf(std::string_view page_token, std::string_view query) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(std::string(page_token), &text)) return PageTokenInvalidError();
  const size_t dot = text.find('.');
  if (dot == std::string::npos) return PageTokenInvalidError();
  std::string place = text.substr(dot + 1);
  return text.substr(0, dot) == Check(place, query) ? absl::StatusOr<std::string>(place) : PageTokenInvalidError();
}

// PAGE_SIZE_INVALID.
absl::StatusOr<int> SizeOf(int page_size) {
  if (page_size < 0) return PageSizeInvalidError(page_size);
  return page_size == 0 ? limits::kDefaultPageSize : std::min(page_size, limits::kMaxPageSize);
}

}  // namespace

std::string PageToken(int64_t beyond, std::string_view query) { return Token(std::to_string(beyond), query); }

absl::StatusOr<Page> ParsePage(int page_size, std::string_view page_token, std::string_view query) {
  Page page;
  ABSL_ASSIGN_OR_RETURN(page.size, SizeOf(page_size));
  if (page_token.empty()) return page;
  ABSL_ASSIGN_OR_RETURN(const std::string place, PlaceOf(page_token, query));
  int64_t beyond = 0;
  const char* const end = place.data() + place.size();
  const auto parsed = std::from_chars(place.data(), end, beyond);
  if (parsed.ec != std::errc() || parsed.ptr != end) return PageTokenInvalidError();
  page.beyond = beyond;
  return page;
}

std::string NamePageToken(std::string_view beyond, std::string_view query) { return Token(std::string(beyond), query); }

absl::StatusOr<NamePage> ParseNamePage(int page_size, std::string_view page_token, std::string_view query) {
  NamePage page;
  ABSL_ASSIGN_OR_RETURN(page.size, SizeOf(page_size));
  if (page_token.empty()) return page;
  ABSL_ASSIGN_OR_RETURN(page.beyond, PlaceOf(page_token, query));
  return page;
}

}  // namespace bitwright::server
