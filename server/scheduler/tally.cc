#include "server/scheduler/tally.h"

#include "server/scheduler/owner.h"

namespace bitwright::server {

Tally::Kind& Tally::Of(const std::string& kind) {
  for (Kind& one : kinds_) {
    if (one.kind == kind) return one;
  }
  return kinds_.emplace_back(Kind{.kind = kind});
}

void Tally::Count(const LiveTask& task, int sign) {
  Kind& kind = Of(task.node.spec.kind());
  states_[static_cast<size_t>(task.row.state)] += sign;
  kind.tasks += sign;
  if (task.row.state == TaskState::kReady && task.blocked_on.empty()) could_run_.Add(task.node.small, sign);
  double part = 0;
  if (task.row.state == TaskState::kDone) {
    part = 1;
    kind.finished += sign;
    kind.cached += task.row.cached ? sign : 0;
    kind.seconds += sign * task.row.seconds;
  } else if (task.row.state == TaskState::kLeased) {
    part = task.progress;
    kind.running += sign;
    kind.progress = kind.running == 0 ? 0 : kind.progress + sign * part;
  }
  kind.done += sign * part * WeightOf(task.node);
}

double Tally::done() const {
  double sum = 0;
  for (const Kind& kind : kinds_) sum += kind.done;
  return sum;
}

}  // namespace bitwright::server
