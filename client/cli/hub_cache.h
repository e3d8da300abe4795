#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bitwright::client {

// Whether a word has the form of the hub's identifiers: "org/name".
bool IsHubName(std::string_view word);

// The folder of a model that transformers or `hf download` has put into one of these caches: the snapshot that
// refs/main names, else the only snapshot. Nothing where no cache has it. Touches no network.
std::optional<std::string> FindInHubCaches(std::span<const std::string> caches, std::string_view name);

// "org/name" where a folder is a snapshot in a cache, which is named after a commit:
// "…/models--org--name/snapshots/{commit}".
std::optional<std::string> HubNameOf(std::string_view folder);

}  // namespace bitwright::client
