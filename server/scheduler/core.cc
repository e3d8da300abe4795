#include "server/scheduler/core.h"

#include "server/scheduler/completion.h"

namespace bitwright::server {

void Changed(Core& core, Owner& owner) {
  RaiseProgress(owner);
  if (JobWork* job = owner.job()) job->job.set_revision(job->job.revision() + 1);
  core.subscribers.Notify(owner.name, core.outbox);
}

void Forget(Core& core, Owner& owner) {
  Changed(core, owner);
  core.board.Remove(owner);
}

MonotonicTime LeaseExpiry(const Core& core) {
  return core.clock.Monotonic() + core.options.lease_ttl + core.options.lease_grace;
}

}  // namespace bitwright::server
