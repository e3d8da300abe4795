#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/web/pages.h"

namespace bitwright::server {

struct Route {
  std::string_view method;   // GET (and so HEAD), POST
  std::string_view pattern;  // "/jobs/*": a star stands for one part of a path, at its end two for all that follow
  PageFunction page;
  bool open = false;                       // also for somebody who has not signed in
  int64_t form_bytes = int64_t{64} << 10;  // most that its form takes, of a POST
};

// What a form with texts takes: two files, and its fields.
inline constexpr int64_t kMaxTextBytes = int64_t{16} << 20;
inline constexpr int64_t kMaxSubmissionBytes = 2 * kMaxTextBytes + (int64_t{64} << 10);

struct RouteMatch {
  const Route* route;
  std::vector<std::string> arguments;
};

// PAGE_NOT_FOUND. Pure.
absl::StatusOr<RouteMatch> FindRoute(std::string_view method, std::string_view path);

}  // namespace bitwright::server
