#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "proto/base/clock.h"
#include "server/jobs/job_graph.h"
#include "server/store/store.h"

namespace bitwright::server {

// One task of an unfinished owner, in memory. `row` is what the store holds of it, except that WAITING and READY exist
// only here (they follow from the others).
struct LiveTask {
  TaskNode node;
  TaskRow row;
  v1::TaskResult result;       // when DONE
  MonotonicTime ready_since;   // when it became READY
  MonotonicTime not_before;    // back-off after a failed attempt
  MonotonicTime lease_expiry;  // when LEASED; heartbeats move it
  double progress = 0;         // of the running attempt, 0..1
  std::string blocked_on;      // digest of an equal task that runs for another owner; looked at again when that ends
};

// A model that is being inspected.
struct ModelWork {
  ModelRow row;
  v1::Model model;
};

// An unfinished job.
struct JobWork {
  JobRow row;   // pins included
  v1::Job job;  // without stages
  ResolvedJob resolved;
  Facts facts;
  CostForecast forecast;
  std::optional<MonotonicTime> unmatched_since;  // since when no worker matches its pins
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
  std::variant<ModelWork, JobWork> work;
  bool complete = false;  // no further tasks will come
  bool stuck = false;     // a step could not be written to the store; tried again at the next tick
  std::optional<Waiting> waiting;
  std::optional<absl::Status> failure;    // it has failed, but that is not stored yet (then it is stuck)
  std::map<std::string, TaskRow> stored;  // by key: rows of before a restart whose nodes are not expanded yet
  std::deque<LiveTask> tasks;             // in node order
  std::map<std::string, size_t> by_key;

  ModelWork* model() { return std::get_if<ModelWork>(&work); }
  JobWork* job() { return std::get_if<JobWork>(&work); }
  const JobWork* job() const { return std::get_if<JobWork>(&work); }

  absl::Time create_time() const;
  int priority() const;
  LiveTask* Find(const std::string& key);
  const LiveTask* Find(const std::string& key) const;
  // The first task of a kind; null: none yet.
  const LiveTask* OfKind(std::string_view kind) const;
  bool AllDone() const;
  bool AnyLeased() const;
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

// The job as a client sees it, stages included. Precondition: the owner is a job.
v1::Job ComposeJob(const Owner& owner);

}  // namespace bitwright::server
