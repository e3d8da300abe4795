#include "server/scheduler/completion.h"

#include <algorithm>
#include <map>
#include <string>

namespace bitwright::server {
namespace {

// What an unfinished job shows at most.
constexpr double kAlmost = 0.999;

// The weight of what is done of a task.
double DoneOf(const LiveTask& task) {
  if (task.row.state == TaskState::kDone) return WeightOf(task.node);
  return task.row.state == TaskState::kLeased ? task.progress * WeightOf(task.node) : 0;
}

}  // namespace

void Forecast(const Core& core, Owner& owner) {
  if (JobWork* job = owner.job()) job->forecast = core.planner.Forecast(job->resolved, job->facts);
}

void RaiseProgress(Owner& owner) {
  JobWork* job = owner.job();
  if (job == nullptr || job->forecast.total <= 0) return;
  double done = 0;
  for (const LiveTask& task : owner.tasks) done += DoneOf(task);
  job->job.set_progress(std::max(job->job.progress(), std::min(done / job->forecast.total, kAlmost)));
}

std::optional<absl::Duration> Remaining(const Core& core, const Owner& owner) {
  const JobWork& job = *owner.job();
  if (job.job.state() != v1::Job::RUNNING || !core.speed.measured()) return std::nullopt;
  std::map<std::string, double> left = job.forecast.weights;
  int side_by_side = 0;
  for (const LiveTask& task : owner.tasks) {
    left[task.node.spec.kind()] -= DoneOf(task);
    side_by_side += task.row.state == TaskState::kLeased || task.row.state == TaskState::kReady ? 1 : 0;
  }
  double seconds = 0;
  for (const auto& [kind, weight] : left) seconds += core.speed.Seconds(kind, std::max(0.0, weight));
  return absl::Seconds(seconds / std::clamp(side_by_side, 1, std::max(1, core.board.fleet().slots())));
}

}  // namespace bitwright::server
