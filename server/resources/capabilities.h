#pragma once

#include <string_view>

#include "bitwright/v1/capabilities.pb.h"
#include "server/resources/recipes.h"

namespace bitwright::server {

// What this server can do, for a client that wants to refuse early. `version` is that of the program. Pure.
v1::Capabilities MakeCapabilities(std::string_view version, const RecipeResources& recipes);

}  // namespace bitwright::server
