#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "server/jobs/graph.h"
#include "server/store/store.h"

namespace bitwright::server {

// One task of an unfinished owner, in memory. `row` is what the store holds of it, save that WAITING and READY are only
// here (they follow from the others) and that heartbeats move row.lease_expiry_micros only here.
struct LiveTask {
  TaskNode node;
  TaskRow row;
  v1::TaskResult result;     // when DONE
  int64_t ready_micros = 0;  // when it became READY
  double progress = 0;       // of the running attempt, 0..1
  std::string blocked_on;    // digest of an equal task that runs for another owner; looked at again when that ends
};

// A model being inspected or an unfinished job, with all its tasks. Plain data: the scheduler's lock guards it.
struct Owner {
  std::string name;
  bool is_model = false;
  ModelRow model_row;
  v1::Model model;  // of a model
  JobRow job_row;   // of a job; pins included
  v1::Job job;      // without stages
  ResolvedJob resolved;
  Facts facts;
  bool complete = false;                  // no further tasks will come
  bool stuck = false;                     // a step could not be written to the store; tried again at the next tick
  int64_t unmatched_since_micros = 0;     // since when no worker matches its pins; 0: one does
  std::optional<absl::Status> failure;    // it has failed, but that is not stored yet (then it is stuck)
  std::map<std::string, TaskRow> stored;  // by key: rows of before a restart whose nodes are not expanded yet
  std::deque<LiveTask> tasks;
  std::map<std::string, size_t> by_key;

  int64_t create_micros() const;
  LiveTask* Find(const std::string& key);
  const LiveTask* Find(const std::string& key) const;
  // Who the outputs of its tasks belong to, for references in the store.
  std::string TasksReference() const { return name + "/tasks"; }
};

// The digest of one output of a finished task. INTERNAL, reason TASK_OUTPUT_MISSING.
absl::StatusOr<v1::Digest> OutputOf(const LiveTask& task, const std::string& output);

// The spec with its links turned into inputs. Precondition: every source is DONE. `compute_class` goes into numeric
// tasks only. INTERNAL, reason TASK_OUTPUT_MISSING.
absl::StatusOr<v1::TaskSpec> Concretize(const Owner& owner, const LiveTask& task, const std::string& compute_class,
                                        const std::string& code_version);

// True when every link's source is DONE.
bool SourcesDone(const Owner& owner, const LiveTask& task);

// The job as a client sees it, stages included.
v1::Job ComposeJob(const Owner& owner);

// Where the job's numbers come from: its finished tasks in node order. Precondition: all tasks so far are DONE.
absl::StatusOr<v1::Provenance> MakeProvenance(const Owner& owner);

}  // namespace bitwright::server
