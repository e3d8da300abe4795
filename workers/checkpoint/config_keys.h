#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// The keys of a family's config.json as transformers' configuration class of the family declares them: which JSON types
// it takes, and what it means when the key is absent. Absent, null and present are three cases: null is a value of its
// own where the class allows it, and refused elsewhere.

// Whether every declared key that is present has a type that the class takes; also those that no arithmetic reads,
// because the reader refuses the model for them as well. CONFIG_INVALID: names the key.
absl::Status CheckConfigKeys(const nlohmann::json& config, std::string_view family);

// The value of a declared key: what is there, else the family's default; null where that is "none" and where the
// family declares no such key.
nlohmann::json ConfigKey(const nlohmann::json& config, std::string_view family, std::string_view name);

}  // namespace bitwright::worker
