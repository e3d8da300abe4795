#include "server/resources/jobs.h"

#include "proto/base/log.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "proto/contract/names.h"
#include "server/blobs/blob_errors.h"
#include "server/jobs/job_state.h"
#include "server/resources/pages.h"
#include "server/resources/requests.h"
#include "server/resources/resource_errors.h"

namespace bitwright::server {
namespace {

v1::Job Parse(const JobRow& row) {
  v1::Job job;
  CHECK(job.ParseFromString(row.body)) << row.name;
  return job;
}

std::string ListQuery(const v1::ListJobsRequest& request) { return "ListJobs/" + std::to_string(request.state()); }

// FAILED_PRECONDITION, reason BLOB_MISSING.
absl::StatusOr<std::vector<BlobDigest>> HeldData(Snapshot& snapshot, const v1::JobSpec& spec) {
  std::vector<BlobDigest> blobs;
  for (const auto& [data, use] :
       {std::pair(&spec.calibration(), "the calibration data"), std::pair(&spec.evaluation(), "the evaluation data")}) {
    if (!data->has_blob()) continue;  // only in a preflight; Resolve has refused it otherwise
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(data->blob()));
    ABSL_ASSIGN_OR_RETURN(const bool held, snapshot.HasBlob(digest));
    if (!held) return BlobMissingError(digest, use);
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

v1::JobSpec WithAssumedData(v1::JobSpec spec) {
  for (v1::Data* data : {spec.mutable_calibration(), spec.mutable_evaluation()}) {
    if (data->has_blob() || data->kind() != v1::Data::KIND_UNSPECIFIED) continue;
    data->set_kind(AssumedData().kind());
    *data->mutable_blob() = AssumedData().blob();
  }
  return spec;
}

void ForgetAssumedData(v1::JobSpec& spec) {
  for (v1::Data* data : {spec.mutable_calibration(), spec.mutable_evaluation()}) {
    if (data->blob().sha256() != AssumedData().blob().sha256()) continue;
    data->clear_kind();
    data->clear_blob();
  }
}

}  // namespace

absl::StatusOr<ResolvedJob> JobResources::ResolveSpec(const v1::JobSpec& spec) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(spec.model(), Collection::kModels).status());
  std::optional<ModelRow> row;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, snapshot.GetModel(spec.model()));
    return absl::OkStatus();
  }));
  if (!row) return ModelNotFoundError(spec.model());
  v1::Model model;
  CHECK(model.ParseFromString(row->body)) << row->name;
  v1::Digest info;
  if (!row->info.empty()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, ParseDigest(row->info));
    info = ToProto(digest);
  }
  std::optional<v1::Recipe> recipe;
  if (!spec.has_inline_recipe()) {
    ABSL_ASSIGN_OR_RETURN(recipe, recipes_.Get(spec.recipe()));
  }
  return planner_.Resolve(spec, model, info, recipe);
}

absl::StatusOr<v1::Job> JobResources::Create(const v1::CreateJobRequest& request) {
  ABSL_ASSIGN_OR_RETURN(const RequestKey key, RequestKey::Make("CreateJob", request.request_id(), request));
  // An earlier equal call is answered first: the model may be gone by now.
  std::optional<std::string> earlier;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(earlier, key.Earlier(snapshot));
    return absl::OkStatus();
  }));
  if (earlier) {
    ABSL_RETURN_IF_ERROR(scheduler_.Adopt(*earlier));
    return Get(*earlier);
  }
  ABSL_ASSIGN_OR_RETURN(const ResolvedJob resolved,
                        ResolveSpec(request.validate_only() ? WithAssumedData(request.spec()) : request.spec()));
  v1::Job job;
  *job.mutable_spec() = resolved.spec;
  job.set_state(v1::Job::QUEUED);
  *job.mutable_estimate() = planner_.Estimate(resolved, scheduler_.FlopsPerSecond());
  if (request.validate_only()) {
    ForgetAssumedData(*job.mutable_spec());
    ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) { return HeldData(snapshot, job.spec()).status(); }));
    return job;
  }
  const absl::Time now = clock_.Now();
  job.set_name(ResourceName(Collection::kJobs, RandomId()));
  job.set_revision(ToMicros(now));
  *job.mutable_create_time() = ToProto(now);
  std::string name = job.name();
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(earlier, key.Earlier(tx));
    if (earlier) {
      name = *earlier;
      return absl::OkStatus();
    }
    ABSL_ASSIGN_OR_RETURN(const std::optional<ModelRow> model, tx.GetModel(resolved.spec.model()));
    if (!model) return ModelNotFoundError(resolved.spec.model());
    ABSL_ASSIGN_OR_RETURN(const std::vector<BlobDigest> blobs, HeldData(tx, resolved.spec));
    ABSL_RETURN_IF_ERROR(tx.PutJob({.name = name,
                                    .model = resolved.spec.model(),
                                    .state = job.state(),
                                    .unfinished = true,
                                    .body = job.SerializeAsString(),
                                    .recipe = resolved.recipe.SerializeAsString()}));
    ABSL_RETURN_IF_ERROR(tx.AddReferences(name, blobs));
    return key.Remember(tx, name, now);
  }));
  ABSL_RETURN_IF_ERROR(scheduler_.Adopt(name));
  return Get(name);
}

absl::StatusOr<JobRow> JobResources::Row(const std::string& name) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kJobs).status());
  std::optional<JobRow> row;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, snapshot.GetJob(name));
    return absl::OkStatus();
  }));
  if (!row) return JobNotFoundError(name);
  return *std::move(row);
}

absl::StatusOr<v1::Job> JobResources::Get(const std::string& name) {
  if (std::optional<v1::Job> live = scheduler_.LiveJob(name)) return *std::move(live);
  ABSL_ASSIGN_OR_RETURN(const JobRow row, Row(name));
  return Parse(row);
}

absl::StatusOr<v1::ListJobsResponse> JobResources::List(const v1::ListJobsRequest& request) {
  ABSL_ASSIGN_OR_RETURN(const Page page, ParsePage(request.page_size(), request.page_token(), ListQuery(request)));
  std::vector<JobRow> rows;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(rows, snapshot.ListJobs(page.before, page.size + 1, request.state()));
    return absl::OkStatus();
  }));
  v1::ListJobsResponse response;
  const bool more = static_cast<int>(rows.size()) > page.size;
  if (more) rows.pop_back();
  for (const JobRow& row : rows) {
    std::optional<v1::Job> live = row.unfinished ? scheduler_.LiveJob(row.name) : std::nullopt;
    *response.add_jobs() = live ? *std::move(live) : Parse(row);
  }
  if (more) response.set_next_page_token(PageToken(rows.back().order, ListQuery(request)));
  return response;
}

absl::StatusOr<v1::Job> JobResources::Cancel(const std::string& name) {
  ABSL_RETURN_IF_ERROR(Row(name).status());
  ABSL_RETURN_IF_ERROR(scheduler_.Adopt(name));  // a job whose creation is just being answered may not be known yet
  ABSL_RETURN_IF_ERROR(scheduler_.CancelJob(name));
  ABSL_ASSIGN_OR_RETURN(v1::Job job, Get(name));
  ABSL_RETURN_IF_ERROR(NextJobState(job.state(), JobEvent::kCancelRequested).status());
  return job;
}

absl::Status JobResources::Delete(const std::string& name) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kJobs).status());
  return store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::optional<JobRow> row, tx.GetJob(name));
    if (!row) return JobNotFoundError(name);
    if (row->unfinished) return JobUnfinishedError(name, "cancel it first");
    return tx.DeleteJob(name);
  });
}

absl::StatusOr<v1::Report> JobResources::Report(const std::string& name) {
  ABSL_ASSIGN_OR_RETURN(const JobRow row, Row(name));
  if (row.unfinished) return JobUnfinishedError(name, "watch it until it has ended");
  const v1::Job job = Parse(row);
  if (job.state() != v1::Job::SUCCEEDED) return JobHasNoReportError(name, JobStateName(job.state()));
  ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(job.report()));
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, blobs_.ReadWhole(digest));
  v1::Report report;
  if (!report.ParseFromString(bytes)) return ReportInvalidError(name);
  return report;
}

}  // namespace bitwright::server
