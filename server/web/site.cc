#include "server/web/site.h"

#include <optional>
#include <utility>

#include "server/auth/principals.h"
#include "server/web/guards.h"
#include "server/web/routes.h"
#include "server/web/web_errors.h"

namespace bitwright::server {
namespace {

constexpr char kCsrf[] = "csrf";

}  // namespace

Site::Site(SiteOptions options, OpenInProcess open, const Clock& clock)
    : open_(std::move(open)),
      clock_(clock),
      sessions_(clock),
      streams_(options.most_streams),
      submissions_(options.most_submissions),
      state_{.sessions = sessions_,
             .streams = streams_,
             .submissions = submissions_,
             .clock = clock,
             .asks_for_tokens = options.asks_for_tokens,
             .version = std::move(options.version)} {}

HttpResponse Site::Answer(HttpRequest& request) {
  HttpResponse response = AnswerUnguarded(request);
  const auto has = [&response](const std::string& name) {
    for (const auto& header : response.headers) {
      if (header.first == name) return true;
    }
    return false;
  };
  if (!has("Content-Security-Policy")) AddSecurityHeaders(response);
  if (!has("Cache-Control")) response.With("Cache-Control", "no-store");
  return response;
}

HttpResponse Site::AnswerUnguarded(HttpRequest& request) {
  std::optional<Session> found;
  if (state_.asks_for_tokens) found = sessions_.Find(Cookie(request, CookieName(request)));
  const Session session = found.value_or(sessions_.nobody());
  const Gateway gateway(open_, request.peer, session.token, clock_, cancel_);
  PageContext context{.site = state_, .request = request, .session = session, .gateway = gateway};

  if (!state_.asks_for_tokens) {
    if (const absl::Status host = CheckHost(request); !host.ok()) return MakeErrorPage(context, host);
  }
  absl::StatusOr<RouteMatch> match = FindRoute(request.method, request.path);
  if (!match.ok()) return MakeErrorPage(context, match.status());
  const Route& route = *match->route;
  context.arguments = std::move(match->arguments);
  if (state_.asks_for_tokens && !found && !route.open) {
    return GoTo(request.method == "POST" ? "/sign-in" : "/sign-in?next=" + UrlEncoded(request.path));
  }
  std::optional<Permits::Permit> permit;
  if (request.method == "POST") {
    if (const absl::Status same = CheckSameSite(request); !same.ok()) return MakeErrorPage(context, same);
    if (route.form_bytes == kMaxSubmissionBytes) {
      permit = submissions_.Take();
      if (!permit) return MakeErrorPage(context, SubmissionsFullError(submissions_.most()));
    }
    absl::StatusOr<HttpForm> form = request.read_form(route.form_bytes);
    if (!form.ok()) return MakeErrorPage(context, form.status());
    context.form = *std::move(form);
    if (!SameSecret(context.form.Field(kCsrf), session.csrf)) return MakeErrorPage(context, FormExpiredError());
  }
  absl::StatusOr<HttpResponse> response = route.page(context);
  if (response.ok()) return *std::move(response);
  // A token that was taken out of the service's file, or that never was in it.
  if (absl::IsUnauthenticated(response.status()) && state_.asks_for_tokens && !route.open) {
    sessions_.Close(Cookie(request, CookieName(request)));
    return GoTo("/sign-in");
  }
  return MakeErrorPage(context, response.status());
}

}  // namespace bitwright::server
