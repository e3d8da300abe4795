#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/web/http.h"

// What keeps other sites from using a browser that can reach this service. Pure.
namespace bitwright::server {

// Whether the request was made to a name of this machine, as a service must ask that asks nobody who calls: a site
// whose name its owner lets point to 127.0.0.1 would otherwise read every page (DNS rebinding). HOST_REFUSED.
absl::Status CheckHost(const HttpRequest& request);

// Whether a request that changes something comes from a page of this service, by what the browser says of it
// (Sec-Fetch-Site, Origin). One that says neither passes: the form's secret decides. CROSS_SITE_REFUSED.
absl::Status CheckSameSite(const HttpRequest& request);

// Value of a cookie of the request; empty: it has none.
std::string Cookie(const HttpRequest& request, const std::string& name);

// A path of this site that may be gone to after signing in; anything else: "/".
std::string LocalPath(std::string_view path);

// Adds what every response has: what the page may load, and that nobody keeps or frames it.
// `style`: text of the <style> of a page that has one of its own.
void AddSecurityHeaders(HttpResponse& response, const std::optional<std::string>& style = std::nullopt);

}  // namespace bitwright::server
