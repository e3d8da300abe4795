#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bitwright::server {

// Where a page of a list ordered newest first begins. Tokens are opaque to clients and valid for one query only
// (`query` names the method and its filters).
struct Page {
  int64_t before = 0;  // rows with a smaller order
  int size = 0;
};

// INVALID_ARGUMENT: PAGE_TOKEN_INVALID, PAGE_SIZE_INVALID (negative). Sizes above the limit are cut to it.
absl::StatusOr<Page> ParsePage(int page_size, std::string_view page_token, std::string_view query);
std::string PageToken(int64_t before, std::string_view query);

}  // namespace bitwright::server
