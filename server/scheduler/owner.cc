#include "server/scheduler/owner.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/code_version.h"
#include "proto/contract/devices.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {

absl::Time Owner::create_time() const {
  const ModelWork* model = std::get_if<ModelWork>(&work);
  return FromProto(model != nullptr ? model->model.create_time() : job()->job.create_time());
}

int Owner::priority() const { return job() == nullptr ? 0 : job()->job.spec().priority(); }

LiveTask* Owner::Find(const std::string& key) {
  const auto it = by_key.find(key);
  return it == by_key.end() ? nullptr : &tasks[it->second];
}

const LiveTask* Owner::Find(const std::string& key) const {
  const auto it = by_key.find(key);
  return it == by_key.end() ? nullptr : &tasks[it->second];
}

const LiveTask* Owner::OfKind(std::string_view kind) const {
  const auto it =
      std::find_if(tasks.begin(), tasks.end(), [&](const LiveTask& task) { return task.node.spec.kind() == kind; });
  return it == tasks.end() ? nullptr : &*it;
}

const std::string& Owner::tenant() const { return job() == nullptr ? model()->row.tenant : job()->row.tenant; }

bool Owner::Untouched() const {
  if (writes > 0 || closing || !stored.empty()) return false;
  return std::all_of(tasks.begin(), tasks.end(), [](const LiveTask& task) { return task.row.fencing_token == 0; }) &&
         tally.count(TaskState::kDone) == 0;
}

std::optional<v1::Notice> Owner::WaitingNotice() const {
  return waiting && waiting->told && (!AnyLeased() || refusals > 0) ? std::optional(waiting->notice) : std::nullopt;
}

absl::StatusOr<v1::Digest> OutputOf(const LiveTask& task, const std::string& output) {
  for (const v1::TaskOutput& candidate : task.result.outputs()) {
    if (candidate.name() == output) return candidate.digest();
  }
  return OutputMissingError(task.node.key, output);
}

absl::StatusOr<v1::TaskSpec> Concretize(const Owner& owner, const LiveTask& task, const std::string& compute_class,
                                        const std::string& code_version) {
  v1::TaskSpec spec = task.node.spec;
  for (const TaskNode::Link& link : task.node.links) {
    const LiveTask* source = owner.Find(link.from);
    if (source == nullptr) return OutputMissingError(link.from, link.output);
    ABSL_ASSIGN_OR_RETURN(const v1::Digest digest, OutputOf(*source, link.output));
    v1::TaskInput* input = spec.add_inputs();
    input->set_name(link.input);
    *input->mutable_digest() = digest;
  }
  std::sort(spec.mutable_inputs()->begin(), spec.mutable_inputs()->end(),
            [](const v1::TaskInput& a, const v1::TaskInput& b) { return a.name() < b.name(); });
  if (task.node.numeric) spec.set_compute_class(compute_class);
  spec.set_code_version(code_version);
  return spec;
}

bool SourcesDone(const Owner& owner, const LiveTask& task) {
  return std::all_of(task.node.links.begin(), task.node.links.end(), [&](const TaskNode::Link& link) {
    const LiveTask* source = owner.Find(link.from);
    return source != nullptr && source->row.state == TaskState::kDone;
  });
}

std::string CodeFor(const TaskNode& node, const std::string& code_version) {
  return node.numeric ? code_version : ProgramOf(code_version);
}

Requirements NeedsOf(const Owner& owner, const LiveTask& task) {
  Requirements needs{.device = {},
                     .compute_class = {},
                     .code_version = {},
                     .memory = task.node.memory,
                     .numeric = task.node.numeric,
                     .small = task.node.small};
  const JobWork* job = owner.job();
  if (job == nullptr) return needs;
  needs.code_version = CodeFor(task.node, job->row.pinned_code);
  if (!task.node.numeric) return needs;
  needs.compute_class = job->row.pinned_class;
  needs.device = WantedDevice(job->job.spec().device());
  return needs;
}

TenantGate::Job ToGateJob(const Owner& owner) {
  return {
      .name = owner.name, .tenant = owner.tenant(), .priority = owner.priority(), .create_time = owner.create_time()};
}

v1::Job ComposeJob(const Owner& owner) {
  v1::Job job = owner.job()->job;
  job.clear_stages();
  job.set_compute_class(owner.job()->row.pinned_class);
  if (const auto waiting = owner.WaitingNotice()) *job.mutable_waiting() = *waiting;
  for (const Tally::Kind& kind : owner.tally.kinds()) {
    v1::Stage* stage = job.add_stages();
    stage->set_kind(kind.kind);
    stage->set_tasks(kind.tasks);
    stage->set_finished(kind.finished);
    stage->set_cached(kind.cached);
    stage->set_running(kind.running);
    stage->set_seconds(kind.seconds);
    stage->set_fraction((kind.finished + kind.progress) / kind.tasks);
  }
  return job;
}

v1::Model ComposeModel(const Owner& owner) {
  v1::Model model = owner.model()->model;
  if (const auto waiting = owner.WaitingNotice()) *model.mutable_waiting() = *waiting;
  return model;
}

}  // namespace bitwright::server
