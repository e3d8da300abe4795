#include "server/scheduler/lost_inputs.h"

#include <optional>
#include <string>
#include <utility>

#include "proto/contract/digest.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/facts.h"
#include "server/scheduler/planning.h"
#include "server/scheduler/releasing.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

// The task that made the blob which the task reads; null: none of the job's.
LiveTask* MakerOf(Owner& owner, const LiveTask& task, const BlobDigest& digest) {
  for (const TaskNode::Link& link : task.node.links) {
    LiveTask* source = owner.Find(link.from);
    if (source == nullptr || source->row.state != TaskState::kDone) continue;
    const auto output = OutputOf(*source, link.output);
    if (output.ok() && output->sha256() == digest.sha256) return source;
  }
  return nullptr;
}

}  // namespace

void RunSourceAgain(Core& core, TaskBoard::Place place, const absl::Status& error, Answer answer) {
  const std::optional<BlobDigest> digest = BlobOf(error);
  if (!digest || core.blobs.HasFile(*digest)) return RetryTask(core, place, error, std::move(answer));
  LiveTask* maker = MakerOf(*place.owner, *place.task, *digest);
  if (maker == nullptr) {
    return FailOwner(core, *place.owner, InputLostError(place.task->node.key, digest->ToString()), std::move(answer));
  }
  PutBack(core, place, &error, std::move(answer));
  RunAgain(core, *place.owner, *maker, error);
}

}  // namespace bitwright::server
