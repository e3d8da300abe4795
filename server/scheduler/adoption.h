#pragma once

#include <string>

#include "absl/status/status.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// Takes up one model or job of the store, with what its tasks had reached; OK and without effect when it is unknown,
// finished or already taken up. The owner may have ended when this returns.
absl::Status Adopt(Core& core, const std::string& name);

// Every unfinished model and job of the store.
absl::Status AdoptAll(Core& core);

}  // namespace bitwright::server
