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

// The check comes first: a name may hold any letter.
std::string Token(std::string_view place, std::string_view query) {
  return absl::WebSafeBase64Escape(Check(place, query) + "." + std::string(place));
}

absl::StatusOr<std::string> PlaceOf(std::string_view token, std::string_view query) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(std::string(token), &text)) return PageTokenInvalidError();
  const size_t dot = text.find('.');
  if (dot == std::string::npos) return PageTokenInvalidError();
  std::string place = text.substr(dot + 1);
  if (place.empty() || text.substr(0, dot) != Check(place, query)) return PageTokenInvalidError();
  return place;
}

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
  ABSL_ASSIGN_OR_RETURN(const std::string number, PlaceOf(page_token, query));
  int64_t beyond = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), beyond);
  if (error != std::errc() || end != number.data() + number.size()) return PageTokenInvalidError();
  page.beyond = beyond;
  return page;
}

std::string NamedPageToken(std::string_view beyond, std::string_view query) { return Token(beyond, query); }

absl::StatusOr<NamedPage> ParseNamedPage(int page_size, std::string_view page_token, std::string_view query) {
  NamedPage page;
  ABSL_ASSIGN_OR_RETURN(page.size, SizeOf(page_size));
  if (page_token.empty()) return page;
  ABSL_ASSIGN_OR_RETURN(page.beyond, PlaceOf(page_token, query));
  return page;
}

}  // namespace bitwright::server
