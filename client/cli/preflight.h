#pragma once

#include "absl/status/status.h"
#include "bitwright/v1/capabilities.pb.h"
#include "client/api/client.h"
#include "client/cli/job_draft.h"

namespace bitwright::client {

// Refuses what this server would refuse after everything has been uploaded: architecture, target and recipe. A server
// that cannot tell what it can (an older one) is left to judge for itself. Completes the recipe's name where its
// beginning was given. ARCHITECTURE_UNSUPPORTED, TARGET_UNKNOWN, RECIPE_NOT_FOUND; the errors of the connection.
absl::Status Preflight(Client& client, JobDraft& draft);

// Architecture and target against what the server says of itself. Pure but for reading config.json.
absl::Status CheckAgainst(const v1::Capabilities& server, const JobDraft& draft);

// About how many bytes an artifact of the goal takes: between the bounds of the estimate, in proportion to the bits;
// under a bound of quality at most as many as it can take. 0: the server gives no estimate. Pure.
int64_t NeededBytes(const v1::GoalEstimate& estimate);

// What is known before there is an estimate: a budget of bytes may be used up, and a weight of the model has at most 32
// bits. At least 1: some file systems (/proc) have no room at all. Pure.
int64_t NeededBytes(int64_t model_bytes, const v1::Budget& budget);

}  // namespace bitwright::client
