#include "server/web/assets.h"

#include <map>

#include "proto/base/log.h"
#include "proto/contract/digest.h"
#include "server/web/pages.h"
#include "server/web/shipped_files.h"
#include "server/web/site_files.h"
#include "server/web/web_errors.h"

namespace bitwright::server {
namespace {

constexpr size_t kVersionDigits = 16;
constexpr char kScript[] = "text/javascript; charset=utf-8";

struct Type {
  std::string_view name;
  std::string_view content_type;
};
constexpr Type kTypes[] = {{"app.css", "text/css; charset=utf-8"},
                           {"app.js", kScript},
                           {"chart.min.js", kScript},
                           {"icon.svg", "image/svg+xml"}};

std::map<std::string, std::string, std::less<>> MakePaths() {
  std::map<std::string, std::string, std::less<>> paths;
  for (const Type& type : kTypes) {
    const std::string name(type.name);
    const std::optional<Asset> asset = FindAsset(name);
    CHECK(asset) << "no asset " << name;
    paths[name] = "/assets/" + name + "?v=" + Sha256Hex(asset->bytes).substr(0, kVersionDigits);
  }
  return paths;
}

}  // namespace

std::optional<Asset> FindAsset(std::string_view name) {
  for (const Type& type : kTypes) {
    if (type.name != name) continue;
    std::string_view bytes = SiteFile(name);
    if (bytes.empty()) bytes = ShippedFile(name);
    return Asset{bytes, type.content_type};
  }
  return std::nullopt;
}

std::string AssetPath(const std::string& name) {
  static const auto* const paths = new std::map<std::string, std::string, std::less<>>(MakePaths());
  return paths->at(name);
}

absl::StatusOr<HttpResponse> SendAsset(const PageContext& context) {
  const std::optional<Asset> asset = FindAsset(context.arguments[0]);
  if (!asset) return PageNotFoundError(context.request.path);
  HttpResponse response{.content_type = std::string(asset->content_type), .body = std::string(asset->bytes)};
  // Its address changes with its bytes.
  response.With("Cache-Control",
                context.request.Query("v").empty() ? "no-cache" : "private, max-age=31536000, immutable");
  return response;
}

}  // namespace bitwright::server
