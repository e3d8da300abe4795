#pragma once

#include <optional>
#include <vector>

#include "bitwright/v1/notices.pb.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// Why nothing of this owner runs or gets on, as Job.waiting says it, and what a person can do; nothing while something
// runs (unless the store refused the owner's last change), while
// a pause before a repeated attempt lasts, while an equal task of another owner runs, and where a worker is about to
// take a task.
std::optional<v1::Notice> WaitReason(const Core& core, const Owner& owner, const std::vector<Offer>& offers);

// What a job waits for that is not in memory, beside so many that are.
v1::Notice QueuedBehind(int64_t jobs);

// Tells the subscribers of every owner whose reason has held for kWaitingTold, or is over. Looks twice a second at
// most.
inline constexpr absl::Duration kWaitingTold = absl::Seconds(1);
void TellWaiting(Core& core);

}  // namespace bitwright::server
