#include "server/scheduler/job_spans.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/wire_time.h"
#include "proto/contract/rpc_status.h"

namespace bitwright::server {
namespace {

// From the first of its attempts to the end of the last one.
struct StageTimes {
  absl::Time begin = absl::InfiniteFuture();
  absl::Time end = absl::InfinitePast();
  bool failed = false;
};

SpanId JobSpanId(const TraceContext& trace, const std::string& job) { return SpanIdOf(trace.trace_id, job); }

SpanId StageSpanId(const TraceContext& trace, const std::string& job, const std::string& kind) {
  return SpanIdOf(trace.trace_id, job + "/" + kind);
}

Span Make(const TraceContext& trace, const SpanId& id, const SpanId& parent, std::string name) {
  Span span;
  span.context = trace;
  span.context.span_id = id;
  span.parent = parent;
  span.name = std::move(name);
  return span;
}

void Fail(Span& span, const absl::Status& error) {
  if (error.ok()) return;
  span.failed = true;
  span.message = std::string(error.message());
  span.attributes.emplace_back("error.type", ErrorReason(error));
}

void HandOn(Core& core, Span span) {
  core.outbox.push_back([spans = core.options.spans, span = std::move(span)] { spans->Take(span); });
}

// The lease's own time, where an earlier process of the server gave it.
absl::Time BeginOf(const Core& core, const LiveTask& task, absl::Time end) {
  if (task.began) return std::min(*task.began, end);
  const FleetOptions& fleet = core.options.fleet;
  const absl::Time leased = TimeFromMicros(task.row.lease_expiry_micros) - fleet.lease_ttl - fleet.lease_grace;
  return std::clamp(leased, std::min(TimeFromMicros(task.row.begin_micros), end), end);
}

absl::Status FailureOf(const LiveTask& task) {
  google::rpc::Status failure;
  return failure.ParseFromString(task.failure) ? FromProto(failure) : absl::OkStatus();
}

void TellCancelled(Core& core, const Owner& owner, absl::Time end) {
  for (const LiveTask& task : owner.tasks) {
    if (task.row.state != TaskState::kLeased) continue;
    const bool failed = !task.failure.empty();
    TellAttempt(core, owner, task, {.time = end, .outcome = failed ? "failed" : "cancelled", .error = FailureOf(task)});
  }
}

std::map<std::string, StageTimes> TimesOf(const Owner& owner, absl::Time end) {
  std::map<std::string, StageTimes> stages;
  for (const LiveTask& task : owner.tasks) {
    if (task.row.begin_micros == 0) continue;
    StageTimes& stage = stages[task.node.spec.kind()];
    stage.begin = std::min(stage.begin, TimeFromMicros(task.row.begin_micros));
    stage.end = std::max(stage.end, task.row.state == TaskState::kLeased ? end : TimeFromMicros(task.row.end_micros));
    stage.failed |= !task.failure.empty();
  }
  return stages;
}

void TellStages(Core& core, const Owner& owner, const v1::Job& job) {
  const TraceContext& trace = *owner.job()->trace;
  const absl::Time begin = FromProto(job.create_time()), end = FromProto(job.end_time());
  const std::map<std::string, StageTimes> times = TimesOf(owner, end);
  for (const v1::Stage& stage : job.stages()) {
    const auto found = times.find(stage.kind());
    if (found == times.end()) continue;  // nothing of it began
    Span span = Make(trace, StageSpanId(trace, job.name(), stage.kind()), JobSpanId(trace, job.name()),
                     "stage " + stage.kind());
    span.start = std::max(begin, found->second.begin);
    span.end = std::clamp(found->second.end, span.start, std::max(span.start, end));
    span.attributes = {{"bitwright.job", job.name()},
                       {"bitwright.stage.kind", stage.kind()},
                       {"bitwright.stage.tasks", int64_t{stage.tasks()}},
                       {"bitwright.stage.finished", int64_t{stage.finished()}},
                       {"bitwright.stage.cached", int64_t{stage.cached()}}};
    span.failed = found->second.failed;
    HandOn(core, std::move(span));
  }
}

}  // namespace

std::optional<TraceContext> TraceOf(const Core& core, const v1::Job& job) {
  if (core.options.spans == nullptr) return std::nullopt;
  const std::optional<TraceContext> trace = ParseTraceParent(job.traceparent());
  return trace && trace->sampled ? trace : std::nullopt;
}

void TellAttempt(Core& core, const Owner& owner, const LiveTask& task, const AttemptEnd& end) {
  const JobWork* job = owner.job();
  if (job == nullptr || !job->trace) return;
  const std::string& kind = task.node.spec.kind();
  Span span = Make(*job->trace, NewSpanId(), StageSpanId(*job->trace, owner.name, kind), "task " + kind);
  span.start = end.cached ? end.time : BeginOf(core, task, end.time);
  span.end = end.time;
  span.attributes = {{"bitwright.job", owner.name},
                     {"bitwright.task", task.row.name},
                     {"bitwright.task.kind", kind},
                     {"bitwright.task.key", task.row.key},
                     {"bitwright.task.outcome", std::string(end.outcome)},
                     {"bitwright.task.cached", end.cached}};
  if (!end.cached) {
    span.attributes.emplace_back("bitwright.task.attempt", int64_t{task.row.attempt});
    span.attributes.emplace_back("bitwright.worker", task.row.worker);
    span.attributes.emplace_back("bitwright.worker.host", task.row.worker_host);
  }
  Fail(span, end.error);
  HandOn(core, std::move(span));
}

void TellEnd(Core& core, const Owner& owner, const v1::Job& job) {
  if (!owner.job()->trace) return;
  TellCancelled(core, owner, FromProto(job.end_time()));
  TellStages(core, owner, job);
  TellJob(core, job);
}

void TellJob(Core& core, const v1::Job& job) {
  const std::optional<TraceContext> trace = TraceOf(core, job);
  if (!trace) return;
  Span span = Make(*trace, JobSpanId(*trace, job.name()), trace->span_id, "job");
  span.start = FromProto(job.create_time());
  span.end = FromProto(job.end_time());
  span.attributes = {
      {"bitwright.job", job.name()},
      {"bitwright.job.state", v1::Job::State_Name(job.state())},
      {"bitwright.job.display_name", job.spec().display_name()},
      {"bitwright.model", job.spec().model()},
      {"bitwright.recipe", job.spec().has_inline_recipe() ? job.spec().inline_recipe().name() : job.spec().recipe()}};
  Fail(span, FromProto(job.error()));
  HandOn(core, std::move(span));
}

}  // namespace bitwright::server
