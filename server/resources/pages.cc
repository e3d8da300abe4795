#include "server/resources/pages.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/escaping.h"
#include "proto/contract/digest.h"
#include "proto/contract/limits.h"
#include "server/resources/resource_errors.h"

namespace bitwright::server {
namespace {

// Ties a token to its query. Not a secret: a forged token can only move a caller's own page.
std::string Check(std::string_view number, std::string_view query) {
  return Sha256Hex(std::string(query) + "|" + std::string(number)).substr(0, 12);
}

}  // namespace

std::string PageToken(int64_t beyond, std::string_view query) {
  const std::string number = std::to_string(beyond);
  return absl::WebSafeBase64Escape(number + "." + Check(number, query));
}

absl::StatusOr<Page> ParsePage(int page_size, std::string_view page_token, std::string_view query) {
  if (page_size < 0) return PageSizeInvalidError(page_size);
  Page page{std::nullopt, page_size == 0 ? limits::kDefaultPageSize : std::min(page_size, limits::kMaxPageSize)};
  if (page_token.empty()) return page;
  std::string text;
  if (!absl::WebSafeBase64Unescape(std::string(page_token), &text)) return PageTokenInvalidError();
  const size_t dot = text.find('.');
  if (dot == std::string::npos || text.substr(dot + 1) != Check(text.substr(0, dot), query))
    return PageTokenInvalidError();
  int64_t beyond = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + dot, beyond);
  if (error != std::errc() || end != text.data() + dot) return PageTokenInvalidError();
  page.beyond = beyond;
  return page;
}

}  // namespace bitwright::server
