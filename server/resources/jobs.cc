#include "server/resources/jobs.h"

#include "proto/base/log.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/devices.h"
#include "proto/contract/digest.h"
#include "proto/contract/names.h"
#include "server/jobs/goals.h"
#include "server/jobs/job_state.h"
#include "server/jobs/stamp.h"
#include "server/resources/filter.h"
#include "server/resources/pages.h"
#include "server/resources/resource_errors.h"
#include "server/store/store_errors.h"

namespace bitwright::server {
namespace {

v1::Job Parse(const JobRow& row) {
  v1::Job job;
  CHECK(job.ParseFromString(row.body)) << row.name;
  StampOld(job);
  return job;
}

constexpr int kIndexBatch = 100;
constexpr std::string_view kTextFields[] = {"name", "display_name", "model", "recipe", "target"};
constexpr std::string_view kStates[] = {"QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"};
constexpr std::string_view kLabelPrefix = "labels.";

std::string ListQuery(const CallContext& call, const v1::ListJobsRequest& request, bool oldest_first) {
  return "ListJobs|" + call.tenant() + "|" + std::to_string(request.state()) +
         (oldest_first ? "|oldest|" : "|newest|") + request.filter();
}

std::string RecipeOf(const v1::JobSpec& spec) {
  return spec.has_inline_recipe() ? spec.inline_recipe().name() : spec.recipe();
}

std::vector<std::string> TargetsOf(const v1::JobSpec& spec) {
  std::vector<std::string> targets;
  for (const v1::Goal& goal : GoalsOf(spec)) targets.push_back(goal.target());
  return targets;
}

std::string TextOf(const v1::Job& job, const std::string& field) {
  const v1::JobSpec& spec = job.spec();
  if (field == "name") return job.name();
  if (field == "display_name") return spec.display_name();
  if (field == "model") return spec.model();
  if (field == "recipe") return RecipeOf(spec);
  if (!field.starts_with(kLabelPrefix)) return v1::Job::State_Name(job.state());
  const auto label = spec.labels().find(field.substr(kLabelPrefix.size()));
  return label == spec.labels().end() ? std::string() : label->second;
}

std::vector<std::string> TextsOf(const v1::Job& job, const std::string& field) {
  if (field == "target") return TargetsOf(job.spec());
  return {TextOf(job, field)};
}

// The state that both the request and its filter leave; nothing: they contradict each other.
std::optional<int> WantedState(const v1::ListJobsRequest& request, const Filter& filter) {
  v1::Job::State state = v1::Job::STATE_UNSPECIFIED;
  if (!v1::Job::State_Parse(filter.State(), &state)) return request.state();
  if (request.state() != v1::Job::STATE_UNSPECIFIED && request.state() != state) return std::nullopt;
  return state;
}

// FAILED_PRECONDITION, reason BLOB_MISSING: the tenant does not have one of them.
absl::StatusOr<std::vector<BlobDigest>> HeldData(Snapshot& snapshot, const std::string& tenant,
                                                 const v1::JobSpec& spec) {
  std::vector<BlobDigest> blobs;
  for (const auto& [texts, use] :
       {std::pair(&spec.calibration(), "the calibration data"), std::pair(&spec.evaluation(), "the evaluation data")}) {
    for (const v1::Data& data : *texts) {
      if (!data.has_blob()) continue;  // only in a preflight; Resolve has refused it otherwise
      ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(data.blob()));
      ABSL_ASSIGN_OR_RETURN(const bool held, snapshot.TenantHasBlob(tenant, digest));
      if (!held) return BlobMissingError(digest, use);
      blobs.push_back(digest);
    }
  }
  for (const v1::ChoiceFile& file : spec.choices()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(file.blob()));
    ABSL_ASSIGN_OR_RETURN(const bool held, snapshot.TenantHasBlob(tenant, digest));
    if (!held) return BlobMissingError(digest, "a file of questions");
    blobs.push_back(digest);
  }
  return blobs;
}

// A preflight may leave data out: sizes alone decide, so that data of the default size is taken to be there.
const v1::Data& AssumedData() {
  static const v1::Data assumed = [] {
    v1::Data data;
    data.set_kind(v1::Data::TOKEN_IDS_JSONL);
    *data.mutable_blob() = ToProto(DigestOf("assumed"));
    return data;
  }();
  return assumed;
}

// Of texts that are not there one.
v1::JobSpec WithAssumedData(v1::JobSpec spec) {
  for (auto* texts : {spec.mutable_calibration(), spec.mutable_evaluation()}) {
    if (texts->empty()) texts->Add();
    for (v1::Data& data : *texts) {
      if (data.has_blob() || data.kind() != v1::Data::KIND_UNSPECIFIED) continue;
      data.set_kind(AssumedData().kind());
      *data.mutable_blob() = AssumedData().blob();
    }
  }
  return spec;
}

void ForgetAssumedData(v1::JobSpec& spec) {
  for (auto* texts : {spec.mutable_calibration(), spec.mutable_evaluation()}) {
    for (v1::Data& data : *texts) {
      if (data.blob().sha256() != AssumedData().blob().sha256()) continue;
      data.clear_kind();
      data.clear_blob();
    }
  }
}

// A preflight says nothing of a budget that was not given.
void ForgetAssumedBudgets(const v1::JobSpec& given, v1::JobSpec& spec) {
  if (given.budget().kind_case() == v1::Budget::KIND_NOT_SET) spec.clear_budget();
  for (int g = 0; g < given.goals_size(); ++g) {
    if (given.goals(g).budget().kind_case() == v1::Budget::KIND_NOT_SET) spec.mutable_goals(g)->clear_budget();
  }
}

}  // namespace

absl::StatusOr<ResolvedJob> JobResources::ResolveSpec(const CallContext& call, const v1::JobSpec& spec,
                                                      Purpose purpose) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(spec.model(), Collection::kModels).status());
  ABSL_ASSIGN_OR_RETURN(const std::shared_ptr<const SharedModel> shared, scheduler_.models().Get(spec.model()));
  if (shared == nullptr || shared->tenant != call.tenant()) return ModelNotFoundError(spec.model());
  const std::shared_ptr<const v1::Model> model(shared, &shared->model);
  ABSL_ASSIGN_OR_RETURN(const std::optional<v1::Recipe> recipe, ShippedRecipe(spec));
  return planner_.Resolve(spec, model, shared->info, recipe, purpose);
}

// By its name; for a recipe of one's own, the one whose id that has, if there is one.
absl::StatusOr<std::optional<v1::Recipe>> JobResources::ShippedRecipe(const v1::JobSpec& spec) const {
  if (spec.has_inline_recipe()) return recipes_.Find(spec.inline_recipe().name());
  ABSL_ASSIGN_OR_RETURN(v1::Recipe recipe, recipes_.Get(spec.recipe()));
  return std::optional(std::move(recipe));
}

absl::StatusOr<v1::Job> JobResources::Create(const CallContext& call, const v1::CreateJobRequest& request) {
  if (request.validate_only()) return Validate(call, request.spec());
  ABSL_ASSIGN_OR_RETURN(const RequestKey key, RequestKey::Make(call, "CreateJob", request.request_id(), request));
  return CreateAs(call, key, [&] { return request.spec(); });
}

absl::StatusOr<v1::Job> JobResources::Retry(const CallContext& call, const v1::RetryJobRequest& request) {
  ABSL_ASSIGN_OR_RETURN(const RequestKey key, RequestKey::Make(call, "RetryJob", request.request_id(), request));
  return CreateAs(call, key, [&]() -> absl::StatusOr<v1::JobSpec> {
    ABSL_ASSIGN_OR_RETURN(const JobRow row, Row(call, request.name()));
    const v1::Job job = Parse(row);
    if (job.state() != v1::Job::FAILED && job.state() != v1::Job::CANCELLED) {
      return JobNotRetryableError(request.name(), JobStateName(job.state()));
    }
    ABSL_RETURN_IF_ERROR(CheckEtag(job.name(), request.etag(), job.etag()));  // a finished job changes no more
    return job.spec();
  });
}

absl::StatusOr<v1::Job> JobResources::Validate(const CallContext& call, const v1::JobSpec& spec) {
  ABSL_ASSIGN_OR_RETURN(const ResolvedJob resolved, ResolveSpec(call, WithAssumedData(spec), Purpose::kPreflight));
  v1::Job job = NewJob(resolved);
  ForgetAssumedData(*job.mutable_spec());
  ForgetAssumedBudgets(spec, *job.mutable_spec());
  ABSL_RETURN_IF_ERROR(
      store_.Read([&](Snapshot& snapshot) { return HeldData(snapshot, call.tenant(), job.spec()).status(); }));
  return job;
}

v1::Job JobResources::NewJob(const ResolvedJob& resolved) {
  v1::Job job;
  *job.mutable_spec() = resolved.spec;
  job.set_state(v1::Job::QUEUED);
  *job.mutable_estimate() =
      planner_.Estimate(resolved, scheduler_.FlopsPerSecond(WantedDevice(resolved.spec.device())));
  *job.mutable_notices() = resolved.model->info().notices();
  return job;
}

absl::StatusOr<v1::Job> JobResources::CreateAs(const CallContext& call, const RequestKey& key,
                                               const std::function<absl::StatusOr<v1::JobSpec>()>& spec_of) {
  const auto resolve = [&]() -> absl::StatusOr<ResolvedJob> {
    ABSL_ASSIGN_OR_RETURN(const v1::JobSpec spec, spec_of());
    return ResolveSpec(call, spec, Purpose::kRun);
  };
  const absl::StatusOr<ResolvedJob> outcome = resolve();
  if (!outcome.ok()) {
    // An earlier equal call is answered all the same: the model may be gone by now.
    ABSL_ASSIGN_OR_RETURN(const std::optional<std::string> name, Earlier(key));
    return name ? Get(call, *name) : outcome.status();
  }
  const ResolvedJob& resolved = *outcome;
  const absl::Time now = clock_.Now();
  v1::Job job = NewJob(resolved);
  job.set_name(ResourceName(Collection::kJobs, RandomId()));
  *job.mutable_create_time() = ToProto(now);
  job.set_traceparent(call.work_trace);
  Stamp(job, now);
  std::string name = job.name();
  ABSL_RETURN_IF_ERROR(quotas_.Counted(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::optional<std::string> earlier, key.Earlier(tx));
    if (earlier) {
      name = *earlier;
      return absl::OkStatus();
    }
    ABSL_ASSIGN_OR_RETURN(const bool there, tx.HasModel(resolved.spec.model()));
    if (!there) return ModelNotFoundError(resolved.spec.model());
    ABSL_ASSIGN_OR_RETURN(const std::vector<BlobDigest> blobs, HeldData(tx, call.tenant(), resolved.spec));
    ABSL_RETURN_IF_ERROR(quotas_.CheckQueuedJob(tx, call.tenant(), v1::Job::QUEUED));
    ABSL_RETURN_IF_ERROR(quotas_.CheckBytes(tx, call.tenant(), 0));
    ABSL_RETURN_IF_ERROR(tx.PutJob({.name = name,
                                    .model = resolved.spec.model(),
                                    .state = job.state(),
                                    .unfinished = true,
                                    .body = job.SerializeAsString(),
                                    .recipe = resolved.recipe.SerializeAsString(),
                                    .priority = resolved.spec.priority(),
                                    .tenant = call.tenant()}));
    ABSL_RETURN_IF_ERROR(tx.AddReferences(name, call.tenant(), blobs));
    return key.Remember(tx, name, now);
  })));
  if (name == job.name()) LOG(INFO).With("job", name).With("model", resolved.spec.model()) << "created";
  scheduler_.Arrived(name, call.tenant(), resolved.spec.priority());
  if (name != job.name()) return Get(call, name);
  return job;
}

absl::StatusOr<std::optional<std::string>> JobResources::Earlier(const RequestKey& key) {
  std::optional<std::string> earlier;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(earlier, key.Earlier(snapshot));
    return absl::OkStatus();
  }));
  return earlier;
}

absl::StatusOr<JobRow> JobResources::Row(const CallContext& call, const std::string& name) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kJobs).status());
  std::optional<JobRow> row;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, snapshot.GetJob(name));
    return absl::OkStatus();
  }));
  if (!row || row->tenant != call.tenant()) return JobNotFoundError(name);
  return *std::move(row);
}

absl::StatusOr<v1::Job> JobResources::Get(const CallContext& call, const std::string& name) {
  if (std::optional<v1::Job> live = scheduler_.LiveJob(name, call.tenant())) return *std::move(live);
  ABSL_ASSIGN_OR_RETURN(const JobRow row, Row(call, name));
  return FromRow(row);
}

v1::Job JobResources::FromRow(const JobRow& row) {
  v1::Job job = Parse(row);
  if (row.unfinished) {
    if (auto waiting = scheduler_.WaitingOf(row.name)) *job.mutable_waiting() = *std::move(waiting);
  }
  return job;
}

absl::Status JobResources::IndexQueue() {
  for (bool more = true; more;) {
    ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
      ABSL_ASSIGN_OR_RETURN(std::vector<JobRow> rows, tx.JobsWithoutPriority(kIndexBatch));
      more = static_cast<int>(rows.size()) == kIndexBatch;
      for (JobRow& row : rows) {
        row.priority = Parse(row).spec().priority();
        ABSL_RETURN_IF_ERROR(tx.PutJob(row));
      }
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ListJobsResponse> JobResources::List(const CallContext& call, const v1::ListJobsRequest& request) {
  ABSL_ASSIGN_OR_RETURN(const bool oldest_first, ParseOrder(request.order_by()));
  ABSL_ASSIGN_OR_RETURN(const Filter filter,
                        Filter::Parse(request.filter(), {.texts = kTextFields, .states = kStates, .labels = true}));
  const std::string query = ListQuery(call, request, oldest_first);
  ABSL_ASSIGN_OR_RETURN(const Page page, ParsePage(request.page_size(), request.page_token(), query));
  v1::ListJobsResponse response;
  const std::optional<int> state = WantedState(request, filter);
  if (!state) return response;
  const RowQuery rows{.tenant = call.tenant(),
                      .oldest_first = oldest_first,
                      .beyond = page.beyond,
                      .state = *state,
                      .name_prefix = filter.NamePrefix()};
  ABSL_ASSIGN_OR_RETURN(const RowPage<JobRow> found,
                        ReadPage<JobRow>(
                            store_, rows, page.size, filter.empty(),
                            [](Snapshot& snapshot, const RowQuery& batch) { return snapshot.ListJobs(batch); },
                            [&](const JobRow& row) {
                              const v1::Job job = Parse(row);
                              return filter.Matches([&](const std::string& field) { return TextsOf(job, field); },
                                                    FromProto(job.create_time()));
                            }));
  for (const JobRow& row : found.rows) {
    std::optional<v1::Job> live = row.unfinished ? scheduler_.LiveJob(row.name, call.tenant()) : std::nullopt;
    *response.add_jobs() = live ? *std::move(live) : FromRow(row);
  }
  if (found.beyond) response.set_next_page_token(PageToken(*found.beyond, query));
  return response;
}

absl::StatusOr<v1::Job> JobResources::Cancel(const CallContext& call, const std::string& name,
                                             const std::string& etag) {
  ABSL_RETURN_IF_ERROR(Row(call, name).status());
  ABSL_RETURN_IF_ERROR(scheduler_.CancelJob(name, etag));
  ABSL_ASSIGN_OR_RETURN(v1::Job job, Get(call, name));
  ABSL_RETURN_IF_ERROR(NextJobState(job.state(), JobEvent::kCancelRequested).status());
  return job;
}

absl::Status JobResources::Delete(const CallContext& call, const std::string& name, const std::string& etag) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kJobs).status());
  return store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::optional<JobRow> row, tx.GetJob(name));
    if (!row || row->tenant != call.tenant()) return JobNotFoundError(name);
    if (row->unfinished) return JobUnfinishedError(name, "cancel it first");
    ABSL_RETURN_IF_ERROR(CheckEtag(name, etag, Parse(*row).etag()));
    return tx.DeleteJob(name);
  });
}

absl::StatusOr<v1::Report> JobResources::Report(const CallContext& call, const std::string& name, int goal) {
  ABSL_ASSIGN_OR_RETURN(const JobRow row, Row(call, name));
  if (row.unfinished) return JobUnfinishedError(name, "watch it until it has ended");
  const v1::Job job = Parse(row);
  if (job.state() != v1::Job::SUCCEEDED) return JobHasNoReportError(name, JobStateName(job.state()));
  // A job of an earlier version has no outcomes, and one goal.
  const int goals = std::max(1, job.outcomes_size());
  if (goal < 0 || goal >= goals) return GoalUnknownError(name, goal, goals);
  ABSL_ASSIGN_OR_RETURN(const BlobDigest digest,
                        FromProto(job.outcomes().empty() ? job.report() : job.outcomes(goal).report()));
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, blobs_.ReadWhole(digest));
  v1::Report report;
  if (!report.ParseFromString(bytes)) return ReportInvalidError(name);
  return report;
}

}  // namespace bitwright::server
