#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "proto/base/clock.h"
#include "proto/contract/trace_context.h"
#include "server/jobs/job_graph.h"
#include "server/scheduler/executor.h"
#include "server/scheduler/tally.h"
#include "server/scheduler/tenant_gate.h"
#include "server/store/store.h"

namespace bitwright::server {

struct Core;

// What is under way for a task beside its state; none of it is stored.
enum class TaskStep {
  kNone,      // nothing: READY, it is to be routed; LEASED, it runs
  kLookup,    // READY: the action cache is asked
  kQueued,    // READY: the executor looks for a place
  kStarting,  // READY: its lease is being written
  kEnding,    // LEASED: its result, failure or release is being written
};

// One task of an unfinished owner, in memory. `row` is what the store holds of it, except that WAITING and READY exist
// only here (they follow from the others).
struct LiveTask {
  TaskNode node;
  TaskRow row;
  v1::TaskResult result;  // when DONE
  TaskStep step = TaskStep::kNone;
  TaskState stored = TaskState::kWaiting;   // the state in the store; kWaiting also where it has no row
  std::string digest;                       // of the concrete spec, from kLookup on
  std::string compute_class, code_version;  // that it was made concrete for
  MonotonicTime ready_since;                // when it became READY
  MonotonicTime not_before;                 // back-off after a failed attempt
  double progress = 0;                      // of the running attempt, 0..1
  std::optional<absl::Time> began;          // the last attempt, where this server began it
  int sources_left = 0;                     // links whose source is not DONE
  std::vector<size_t> dependents;           // positions of tasks that link to it, once for each link
  int reruns = 0;                           // times that it ran again because an output was lost
  std::string blocked_on;                   // digest of an equal task that runs for another owner
  std::string failure;                      // google.rpc.Status of its last attempt, for which its owner fails
  std::function<void(Core&)> release;       // that the store refused; again when the owner's pause is over
  std::vector<std::function<void(Core&)>> when_written;  // calls about it that came while a step was being written
};

// A model that is being inspected.
struct ModelWork {
  ModelRow row;
  v1::Model model;
  ModelFacts facts;
};

// An unfinished job.
struct JobWork {
  JobRow row;   // as it is stored, pins included
  JobRow next;  // as it will be when all is written that is under way
  v1::Job job;  // without stages
  std::shared_ptr<const ResolvedJob> resolved;
  Facts facts;
  CostForecast forecast;
  std::string chosen_class, chosen_code;  // what its tasks are made for until it is pinned
  std::optional<TraceContext> trace;      // in which its spans are; nothing: none are written
};

// What an owner of which nothing runs waits for, as long as that holds.
struct Waiting {
  v1::Notice notice;
  MonotonicTime since;
  bool told = false;  // subscribers know
};

// Who tasks belong to, with all of them. Plain data: the scheduler's lock guards it.
struct Owner {
  std::string name;
  int64_t id = 0;  // another one each time that it is taken into memory
  std::variant<ModelWork, JobWork> work;
  Tally tally;
  bool complete = false;  // no further tasks will come
  bool planning = false;  // outputs are being read, or tasks made, outside the lock
  int writes = 0;         // changes of it that the store has not answered yet
  bool closing = false;   // it ends: nothing more is begun
  // Its last revision is being written: no greater one is given, which would make that look old.
  bool end_written = false;
  std::vector<std::function<void(Core&, Owner&)>> when_quiet;  // what waits until there are no more writes
  int refusals = 0;                                            // steps in a row that the store refused
  bool stuck = false;                                          // so nothing is begun until `retry_at`
  MonotonicTime retry_at;
  std::function<void(Core&, Owner&)> end;                            // how it ends, while it is closing
  std::vector<std::function<void(const absl::Status&)>> when_ended;  // further calls that wait for that
  std::optional<Waiting> waiting;
  std::optional<MonotonicTime> unplaceable_since;  // since when no worker may ever run one of its tasks
  std::map<std::string, TaskRow> stored;           // by key: rows of before whose nodes are not expanded yet
  std::deque<LiveTask> tasks;                      // in node order
  std::map<std::string, size_t> by_key;
  std::vector<const LiveTask*> read_tasks;  // those of which the server reads an output, but the report

  ModelWork* model() { return std::get_if<ModelWork>(&work); }
  const ModelWork* model() const { return std::get_if<ModelWork>(&work); }
  JobWork* job() { return std::get_if<JobWork>(&work); }
  const JobWork* job() const { return std::get_if<JobWork>(&work); }

  absl::Time create_time() const;
  int priority() const;
  const std::string& tenant() const;
  LiveTask* Find(const std::string& key);
  const LiveTask* Find(const std::string& key) const;
  // The first task of a kind; null: none yet.
  const LiveTask* OfKind(std::string_view kind) const;
  bool AllDone() const { return tally.count(TaskState::kDone) == static_cast<int64_t>(tasks.size()); }
  bool AnyLeased() const { return tally.count(TaskState::kLeased) > 0; }
  // Whether nothing of it was ever begun: then its rows say all of it.
  bool Untouched() const;
  // What a client is told that the owner waits for.
  std::optional<v1::Notice> WaitingNotice() const;
};

// Who the outputs of an owner's tasks belong to, for references in the store.
inline std::string TasksReference(const std::string& owner) { return owner + "/tasks"; }

// The digest of one output of a finished task. INTERNAL, reason TASK_OUTPUT_MISSING.
absl::StatusOr<v1::Digest> OutputOf(const LiveTask& task, const std::string& output);

// The spec with its links turned into inputs. Precondition: every source is DONE. `compute_class` goes into numeric
// tasks only. INTERNAL, reason TASK_OUTPUT_MISSING.
absl::StatusOr<v1::TaskSpec> Concretize(const Owner& owner, const LiveTask& task, const std::string& compute_class,
                                        const std::string& code_version);

// True when every link's source is DONE.
bool SourcesDone(const Owner& owner, const LiveTask& task);

// What a task is made for where its job's numeric ones are made for this code version: other tasks depend on the
// program alone (code_version.h).
std::string CodeFor(const TaskNode& node, const std::string& code_version);

// What a task needs of its place, under the pins of its job and on the device that it asks for.
Requirements NeedsOf(const Owner& owner, const LiveTask& task);

// Precondition: the owner is a job.
TenantGate::Job ToGateJob(const Owner& owner);

// The job as a client sees it, stages included. Precondition: the owner is a job.
v1::Job ComposeJob(const Owner& owner);
// The same for a model.
v1::Model ComposeModel(const Owner& owner);

}  // namespace bitwright::server
