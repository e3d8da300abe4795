#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bitwright::server {

// A file that pages load.
struct Asset {
  std::string_view bytes;
  std::string_view content_type;
};

// Nothing: there is none of that name.
std::optional<Asset> FindAsset(std::string_view name);

// Where a page loads it from: "/assets/app.css?v=" and a part of its digest, so that a browser may keep it for good.
// It must exist.
std::string AssetPath(const std::string& name);

}  // namespace bitwright::server
