#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "proto/base/errors.h"
#include "server/web/assets.h"
#include "server/web/pages.h"

namespace bitwright::server {
namespace {

struct Entry {
  const char* path;
  const char* text;
};
constexpr std::array<Entry, 4> kNavigation = {
    Entry{"/jobs", "Jobs"}, {"/models", "Models"}, {"/workers", "Workers"}, {"/recipes", "Recipes"}};

View Frame(const PageContext& context, const std::string& title) {
  View view;
  View::Items navigation;
  for (const Entry& entry : kNavigation) {
    navigation.push_back(View()
                             .Text("path", entry.path)
                             .Text("text", entry.text)
                             .If("current", context.request.path.starts_with(entry.path)));
  }
  const bool signed_in = context.site.asks_for_tokens && !context.session.token.empty();
  return view.Text("title", title)
      .Each("navigation", std::move(navigation))
      .If("signed_in", signed_in)
      .Text("csrf", context.session.csrf)
      .Text("version", context.site.version)
      .Text("style", AssetPath("app.css"))
      .Text("script", AssetPath("app.js"))
      .Text("chart", AssetPath("chart.min.js"))
      .Text("icon", AssetPath("icon.svg"));
}

// The status that a code of the service has in HTTP, as google/rpc/code.proto states it.
int HttpStatusOf(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return 409;
    case absl::StatusCode::kResourceExhausted:  // queues and limits of the service, not of one caller
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

}  // namespace

HttpResponse MakePage(const PageContext& context, const std::string& title, const std::string& template_name,
                      const View& view) {
  // What every part of a page may need besides its own.
  View filled = view;
  filled.Text("csrf", context.session.csrf);
  View frame = Frame(context, title);
  frame.Text("body", Render(template_name, filled));
  HttpResponse response{.content_type = "text/html; charset=utf-8", .body = Render("layout", frame)};
  return response;
}

HttpResponse MakeErrorPage(const PageContext& context, const absl::Status& error) {
  HttpResponse response =
      MakePage(context, "Error", "error",
               View().Text("message", std::string(error.message())).Optional("reason", ErrorReason(error)));
  response.status = HttpStatusOf(error);
  if (response.status == 503) response.With("Retry-After", "5");
  return response;
}

HttpResponse GoTo(const std::string& path) {
  HttpResponse response{.status = 303};
  response.With("Location", path);
  return response;
}

std::string CookieName(const HttpRequest& request) {
  const std::string host = request.Header("host");
  const std::string port = host.substr(host.rfind(':') + 1);
  const bool has_port = port.size() < host.size() && !port.empty() && std::ranges::all_of(port, absl::ascii_isdigit);
  return (request.encrypted ? "__Host-bitwright-" : "bitwright-") + (has_port ? port : "web");
}

}  // namespace bitwright::server
