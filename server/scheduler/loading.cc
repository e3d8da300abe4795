#include "server/scheduler/loading.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "google/rpc/status.pb.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/names.h"
#include "proto/contract/reasons.h"
#include "proto/contract/rpc_status.h"
#include "server/jobs/resolve.h"
#include "server/jobs/stamp.h"
#include "server/scheduler/job_spans.h"
#include "server/scheduler/planning.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

struct Loaded {
  absl::Status status;
  std::unique_ptr<Owner> owner;  // null: not there, or ended
};

bool IsModel(const std::string& name) { return ParseResourceName(name, Collection::kModels).ok(); }

// Revisions of before a restart may have run ahead of the stored one, but never of the clock. The etag and the time of
// the last change stay: nothing is changed by being loaded.
int64_t RevisionAfterLoad(int64_t stored, absl::Time now) { return std::max(stored + 1, ToMicros(now)); }

absl::Status LoadModel(const ModelRow& row, absl::Time now, Owner& owner) {
  ModelWork work{.row = row, .model = {}, .facts = {}};
  if (!work.model.ParseFromString(row.body)) return RowCorruptError(row.name);
  StampOld(work.model);
  work.model.set_revision(RevisionAfterLoad(work.model.revision(), now));
  owner.work = std::move(work);
  return absl::OkStatus();
}

absl::Status LoadJob(ModelCache& models, const JobRow& row, absl::Time now, Owner& owner) {
  JobWork work;
  work.row = row;
  work.next = row;
  v1::Recipe recipe;
  if (!work.job.ParseFromString(row.body) || !recipe.ParseFromString(row.recipe)) {
    return RowCorruptError(row.name);
  }
  ABSL_ASSIGN_OR_RETURN(const std::shared_ptr<const SharedModel> model, models.Get(row.model));
  if (model == nullptr) return RowCorruptError(row.name);
  ABSL_ASSIGN_OR_RETURN(
      ResolvedJob resolved,
      Restore(work.job.spec(), recipe, std::shared_ptr<const v1::Model>(model, &model->model), model->info));
  work.resolved = std::make_shared<const ResolvedJob>(std::move(resolved));
  StampOld(work.job);
  work.job.set_revision(RevisionAfterLoad(work.job.revision(), now));
  owner.work = std::move(work);
  return absl::OkStatus();
}

absl::Status TryLoad(Store& store, ModelCache& models, const std::string& name, absl::Time now, Loaded& loaded) {
  std::optional<ModelRow> model;
  std::optional<JobRow> job;
  std::vector<TaskRow> tasks;
  ABSL_RETURN_IF_ERROR(store.Read([&](Snapshot& snapshot) -> absl::Status {
    if (IsModel(name)) {
      ABSL_ASSIGN_OR_RETURN(model, snapshot.GetModel(name));
    } else {
      ABSL_ASSIGN_OR_RETURN(job, snapshot.GetJob(name));
    }
    ABSL_ASSIGN_OR_RETURN(tasks, snapshot.TasksOf(name));
    return absl::OkStatus();
  }));
  const bool unfinished = (model && model->unfinished) || (job && job->unfinished);
  if (!unfinished) return absl::OkStatus();
  auto owner = std::make_unique<Owner>();
  owner->name = name;
  ABSL_RETURN_IF_ERROR(model ? LoadModel(*model, now, *owner) : LoadJob(models, *job, now, *owner));
  for (TaskRow& row : tasks) owner->stored.emplace(row.key, std::move(row));
  loaded.owner = std::move(owner);
  return absl::OkStatus();
}

Loaded LoadRows(Store& store, ModelCache& models, const std::string& name, absl::Time now) {
  Loaded loaded;
  loaded.status = TryLoad(store, models, name, now, loaded);
  return loaded;
}

// The row's message as far as it can be read, failed for that reason.
template <typename Message, typename Row>
Message Failed(const Row& row, typename Message::State state, const absl::Status& why, absl::Time now) {
  Message message;
  if (!message.ParseFromString(row.body)) message.Clear();
  message.set_name(row.name);
  message.set_state(state);
  *message.mutable_error() = ToProto(why);
  Stamp(message, now);
  return message;
}

absl::Status FailModel(Transaction& tx, const std::string& name, const absl::Status& why, absl::Time now) {
  ABSL_ASSIGN_OR_RETURN(std::optional<ModelRow> row, tx.GetModel(name));
  if (!row) return absl::OkStatus();
  row->unfinished = false;
  row->body = Failed<v1::Model>(*row, v1::Model::REJECTED, why, now).SerializeAsString();
  return tx.PutModel(*row);
}

// `failed`: as it then is.
absl::Status FailJob(Transaction& tx, const std::string& name, const absl::Status& why, absl::Time now,
                     v1::Job& failed) {
  ABSL_ASSIGN_OR_RETURN(std::optional<JobRow> row, tx.GetJob(name));
  if (!row) return absl::OkStatus();
  v1::Job job = Failed<v1::Job>(*row, v1::Job::FAILED, why, now);
  *job.mutable_end_time() = ToProto(now);
  failed = job;
  row->state = job.state();
  row->unfinished = false;
  row->body = job.SerializeAsString();
  return tx.PutJob(*row);
}

// Written without an owner in memory: there is nothing to make one of.
void FailCorrupt(Core& core, const std::string& name, const absl::Status& why) {
  LOG(ERROR) << name << " fails: " << why.ToString();
  const auto failed = std::make_shared<v1::Job>();
  Write(
      core,
      [name, why, now = core.clock.Now(), failed](Transaction& tx) {
        return IsModel(name) ? FailModel(tx, name, why, now) : FailJob(tx, name, why, now, *failed);
      },
      [name, failed](Core& under_lock, const absl::Status& fate) {
        if (!fate.ok()) LOG(ERROR) << name << " cannot be failed yet: " << fate.ToString();
        if (fate.ok()) TellJob(under_lock, *failed);
        under_lock.subscribers.Notify(name, under_lock.outbox);
      });
}

void OnLoaded(Core& core, const std::string& name, Loaded loaded, const std::function<void(Core&, Owner*)>& then) {
  Owner* owner = core.board.FindOwner(name);
  if (owner == nullptr && loaded.owner != nullptr) {
    owner = &core.board.Add(std::move(loaded.owner));
    if (JobWork* job = owner->job()) job->trace = TraceOf(core, job->job);
    core.window.OnLoaded(*owner);
  } else {
    core.window.OnNotLoaded(name);
    if (owner == nullptr) core.gate.Leave(name);
  }
  if (!loaded.status.ok()) {
    if (IsServersFault(loaded.status)) {
      LOG(ERROR) << name << " cannot be read, it is tried again: " << loaded.status.ToString();
      core.window.LookAgain();
    } else {
      FailCorrupt(core, name, loaded.status);
    }
  }
  if (then) then(core, owner);
  if (owner != nullptr && core.board.FindOwner(name) == owner) Advance(core, *owner);
}

constexpr int kTenantBatch = 1000;

// Once, at the start: from then on limits change by calls.
absl::Status ReadLimits(Snapshot& snapshot, TenantGate& gate) {
  std::vector<std::string> names;
  do {
    const std::string last = names.empty() ? std::string() : names.back();
    ABSL_ASSIGN_OR_RETURN(names, snapshot.ListTenants(last, kTenantBatch));
    for (const std::string& name : names) {
      ABSL_ASSIGN_OR_RETURN(const std::optional<TenantRow> row, snapshot.GetTenant(name));
      if (row) gate.Limit(name, row->limits.running_jobs);
    }
  } while (static_cast<int>(names.size()) == kTenantBatch);
  return absl::OkStatus();
}

// The jobs that ran when the server ended.
absl::StatusOr<std::vector<TenantGate::Job>> Started(Snapshot& snapshot) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                        snapshot.UnfinishedJobs(v1::Job::RUNNING, std::numeric_limits<int>::max()));
  std::vector<TenantGate::Job> jobs;
  for (const std::string& name : names) {
    ABSL_ASSIGN_OR_RETURN(const std::optional<JobRow> row, snapshot.GetJob(name));
    if (row) jobs.push_back({.name = name, .tenant = row->tenant, .priority = row->priority, .create_time = {}});
  }
  return jobs;
}

}  // namespace

void Load(Core& core, const std::string& name, std::function<void(Core&, Owner*)> then) {
  Outside<Loaded>(
      core,
      [&store = core.store, &models = core.models, name, now = core.clock.Now()] {
        return LoadRows(store, models, name, now);
      },
      [name, then = std::move(then)](Core& under_lock, Loaded loaded) {
        OnLoaded(under_lock, name, std::move(loaded), then);
      });
}

absl::Status LoadStarted(Core& core) {
  core.gate.LimitOthers(core.options.tenant_running_jobs);
  std::vector<TenantGate::Job> jobs;
  ABSL_RETURN_IF_ERROR(core.store.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_RETURN_IF_ERROR(ReadLimits(snapshot, core.gate));
    ABSL_ASSIGN_OR_RETURN(jobs, Started(snapshot));
    return absl::OkStatus();
  }));
  // All of them count before anything else may begin.
  for (const TenantGate::Job& job : jobs) core.gate.Begin(job);
  for (const TenantGate::Job& job : jobs) Load(core, job.name, nullptr);
  core.window.LookAgain();
  core.window.Fill(core);
  return absl::OkStatus();
}

}  // namespace bitwright::server
