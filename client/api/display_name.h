#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::client {

// A name that a person typed: UTF-8 of at most limits::kMaxDisplayNameBytes. INVALID_ARGUMENT, reason
// DISPLAY_NAME_INVALID, naming `option` ("--name").
absl::Status CheckDisplayName(std::string_view option, std::string_view name);

// A name that comes from a disk, made fit: what is not printable UTF-8 replaced, and cut between two characters.
std::string FitDisplayName(std::string_view name);

}  // namespace bitwright::client
