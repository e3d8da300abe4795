#include <utility>

#include "absl/strings/ascii.h"
#include "server/web/guards.h"
#include "server/web/pages.h"

namespace bitwright::server {
namespace {

constexpr char kUnknownToken[] =
    "this token is none of this service's, or no longer; ask whoever runs it for one that `bitwright token new` made";

HttpResponse SignInPage(const PageContext& context, const std::string& next, const std::string& error) {
  return MakePage(context, "Sign in", "sign_in", View().Text("next", LocalPath(next)).Optional("error", error));
}

// Strict: a link on another site arrives without it, and so does whatever that site makes a browser send.
std::string CookieText(const HttpRequest& request, const std::string& value, bool over) {
  return CookieName(request) + "=" + value + "; Path=/; HttpOnly; SameSite=Strict" +
         (request.encrypted ? "; Secure" : "") + (over ? "; Max-Age=0" : "");
}

}  // namespace

absl::StatusOr<HttpResponse> ShowSignIn(const PageContext& context) {
  if (!context.site.asks_for_tokens) return GoTo("/jobs");
  return SignInPage(context, context.request.Query("next"), "");
}

absl::StatusOr<HttpResponse> SignIn(const PageContext& context) {
  if (!context.site.asks_for_tokens) return GoTo("/jobs");
  const std::string token(absl::StripAsciiWhitespace(context.form.Field("token")));
  const std::string next = context.form.Field("next");
  if (const absl::Status known = context.gateway.As(token).GetCapabilities().status(); !known.ok()) {
    // The service's own sentence is for who calls it from a shell.
    const bool refused = absl::IsUnauthenticated(known);
    HttpResponse response = SignInPage(context, next, refused ? kUnknownToken : std::string(known.message()));
    response.status = refused ? 401 : 503;
    return response;
  }
  HttpResponse response = GoTo(LocalPath(next));
  response.With("Set-Cookie", CookieText(context.request, context.site.sessions.Open(token), /*over=*/false));
  return response;
}

absl::StatusOr<HttpResponse> SignOut(const PageContext& context) {
  context.site.sessions.Close(Cookie(context.request, CookieName(context.request)));
  HttpResponse response = GoTo(context.site.asks_for_tokens ? "/sign-in" : "/jobs");
  response.With("Set-Cookie", CookieText(context.request, "", /*over=*/true));
  return response;
}

}  // namespace bitwright::server
