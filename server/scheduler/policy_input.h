#pragma once

#include "server/scheduler/fleet.h"
#include "server/scheduler/owner.h"
#include "server/scheduler/policy.h"

// Tasks and workers as the policy sees them.
namespace bitwright::server {

// One tenant until accounts exist.
inline constexpr char kOnlyTenant[] = "default";

ReadyTask ToReadyTask(const Owner& owner, const LiveTask& task);

// With what it has free now. `small_only`: it asks for small tasks alone; otherwise it does so where it runs as many
// long ones as it may.
AskingWorker ToAskingWorker(const Fleet::Member& worker, bool small_only);

}  // namespace bitwright::server
