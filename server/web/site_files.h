#pragma once

#include <string_view>

namespace bitwright::server {

// The text of a file of site/, by its name; empty: there is none.
std::string_view SiteFile(std::string_view name);

}  // namespace bitwright::server
