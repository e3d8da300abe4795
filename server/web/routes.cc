#include "server/web/routes.h"

#include <optional>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/web/web_errors.h"

namespace bitwright::server {
namespace {

constexpr Route kRoutes[] = {
    {.method = "GET", .pattern = "/", .page = ShowStart},
    {.method = "GET", .pattern = "/jobs", .page = ShowJobs},
    {.method = "POST", .pattern = "/jobs", .page = SubmitJob, .form_bytes = kMaxSubmissionBytes},
    {.method = "GET", .pattern = "/jobs/*", .page = ShowJob},
    {.method = "GET", .pattern = "/jobs/*/events", .page = FollowJob},
    {.method = "GET", .pattern = "/jobs/*/tasks", .page = ShowTasks},
    {.method = "GET", .pattern = "/jobs/*/report", .page = ShowReport},
    {.method = "GET", .pattern = "/jobs/*/files/*/**", .page = SendFile},
    {.method = "POST", .pattern = "/jobs/*/cancel", .page = CancelJob},
    {.method = "POST", .pattern = "/jobs/*/retry", .page = RetryJob},
    {.method = "GET", .pattern = "/models", .page = ShowModels},
    {.method = "GET", .pattern = "/models/*", .page = ShowModel},
    {.method = "GET", .pattern = "/models/*/estimate", .page = ShowEstimate},
    {.method = "GET", .pattern = "/workers", .page = ShowWorkers},
    {.method = "GET", .pattern = "/recipes", .page = ShowRecipes},
    {.method = "GET", .pattern = "/recipes/*", .page = ShowRecipe},
    {.method = "GET", .pattern = "/sign-in", .page = ShowSignIn, .open = true},
    {.method = "POST", .pattern = "/sign-in", .page = SignIn, .open = true},
    {.method = "POST", .pattern = "/sign-out", .page = SignOut, .open = true},
    {.method = "GET", .pattern = "/assets/*", .page = SendAsset, .open = true},
};

// The arguments; nothing: the path is of another pattern.
std::optional<std::vector<std::string>> Match(std::string_view pattern, const std::vector<std::string>& parts) {
  const std::vector<std::string> wanted = absl::StrSplit(std::string(pattern), '/');
  std::vector<std::string> arguments;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "**") {
      if (parts.size() <= i) return std::nullopt;
      arguments.push_back(absl::StrJoin(parts.begin() + static_cast<ptrdiff_t>(i), parts.end(), "/"));
      return arguments;
    }
    if (i >= parts.size() || (wanted[i] == "*" ? parts[i].empty() : wanted[i] != parts[i])) return std::nullopt;
    if (wanted[i] == "*") arguments.push_back(parts[i]);
  }
  if (parts.size() != wanted.size()) return std::nullopt;
  return arguments;
}

}  // namespace

absl::StatusOr<RouteMatch> FindRoute(std::string_view method, std::string_view path) {
  const std::vector<std::string> parts = absl::StrSplit(std::string(path), '/');
  for (const Route& route : kRoutes) {
    if (route.method != (method == "HEAD" ? "GET" : method)) continue;
    if (auto arguments = Match(route.pattern, parts)) return RouteMatch{&route, *std::move(arguments)};
  }
  return PageNotFoundError(path);
}

}  // namespace bitwright::server
