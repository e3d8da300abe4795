#include "tests/unit/server/support/rig.h"

#include <algorithm>

#include "bitwright/v1/reports.pb.h"
#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/contract/digest.h"
#include "proto/contract/rpc_status.h"
#include "proto/contract/task_names.h"
#include "proto/recipes/shipped_recipes.h"
#include "server/app/job_planner.h"
#include "server/blobs/disk_blobs.h"
#include "server/store/sqlite_store.h"
#include "tests/unit/server/support/fake_tasks.h"

namespace bitwright::server {
namespace {

void Must(const absl::Status& status) { CHECK(status.ok()) << status.ToString(); }

template <typename T>
T Value(absl::StatusOr<T> result) {
  CHECK(result.ok()) << result.status().ToString();
  return *std::move(result);
}

}  // namespace

Rig::Rig() {
  options.fleet.host = "this-host";
  Open();
}

void Rig::Restart() {
  collector.reset();
  tenants.reset();
  tasks.reset();
  jobs.reset();
  models.reset();
  scheduler.reset();
  held.reset();
  blobs.reset();
  store.reset();
  Open();
}

void Rig::Open() {
  metrics = std::make_unique<Metrics>();
  auto faulty = std::make_unique<FaultStore>(Value(OpenSqliteStore(dir / "db.sqlite")));
  faults = faulty.get();
  store = std::move(faulty);
  blobs = Value(OpenDiskBlobs(dir.path()));
  const Quotas quotas(tenant_limits, [this](std::string_view quota) { metrics->QuotaRefused(quota); });
  options.tenant_running_jobs = tenant_limits.running_jobs;
  held = std::make_unique<HeldBlobs>(*blobs, *store, quotas);
  Must(held->Reconcile(clock.Now()));
  planner = make_planner ? make_planner() : MakeJobPlanner();
  recipes = std::make_unique<RecipeResources>(Value(RecipeResources::Parse(ShippedRecipes())));
  scheduler = std::make_unique<Scheduler>(*store, *held, *planner, clock, *metrics, options,
                                          make_executor ? make_executor() : nullptr);
  models = std::make_unique<ModelResources>(*store, *scheduler, clock, quotas);
  Must(models->IndexContent());
  jobs = std::make_unique<JobResources>(*store, *held, *scheduler, *planner, *recipes, clock, quotas);
  tenants = std::make_unique<TenantResources>(*store, *scheduler, tenant_limits);
  tasks = std::make_unique<TaskResources>(*store, *scheduler, *jobs, *models);
  collector = std::make_unique<Collector>(*store, *blobs, *held, clock, *metrics, collector_options);
  Must(jobs->IndexQueue());
  Must(scheduler->Start());
  scheduler->Settle();
}

void Rig::Tick() {
  scheduler->Tick();
  scheduler->Settle();
}

void Rig::Pass(double seconds) {
  while (seconds > 0) {
    const double step = std::min(seconds, 1.0);
    clock.Advance(step);
    Tick();
    seconds -= step;
  }
}

BlobDigest Rig::Put(const std::string& bytes, const CallContext& call) {
  return PutAs({.tenant = call.tenant()}, bytes);
}

BlobDigest Rig::PutAs(const BlobUser& user, const std::string& bytes) {
  const BlobDigest digest = DigestOf(bytes);
  auto upload = Value(blobs->StartUpload({"upload-" + std::to_string(++uploads_), digest}));
  Must(upload->AppendCopied(bytes));
  Must(held->Publish(user, *upload, digest, clock.Now()));
  return digest;
}

v1::Manifest Rig::Files(const std::string& seed, const CallContext& call) {
  v1::Manifest manifest;
  for (const char* path : {"config.json", "model.safetensors", "tokenizer.json"}) {
    v1::FileEntry* file = manifest.add_files();
    file->set_path(path);
    *file->mutable_digest() = ToProto(Put(seed + path, call));
  }
  return manifest;
}

v1::Model Rig::ReadyModel(const std::string& seed, const CallContext& call) {
  v1::CreateModelRequest request;
  request.set_display_name("small");
  *request.mutable_manifest() = Files(seed, call);
  const v1::Model model = Value(models->Create(call, request));
  const std::string worker = AddWorker();
  RunAll(worker);
  scheduler->DeregisterWorker(worker);
  return Value(models->Get(call, model.name()));
}

v1::JobSpec Rig::Spec(const std::string& model, double bits, const CallContext& call) {
  v1::JobSpec spec;
  spec.set_model(model);
  spec.set_recipe("recipes/mixed-gptq");
  spec.mutable_budget()->set_average_bits(bits);
  for (v1::Data* data : {spec.add_calibration(), spec.add_evaluation()}) data->set_kind(v1::Data::TEXT);
  *spec.mutable_calibration(0)->mutable_blob() = ToProto(Put("calibration text", call));
  *spec.mutable_evaluation(0)->mutable_blob() = ToProto(Put("evaluation text", call));
  return spec;
}

v1::Job Rig::CreateJob(const v1::JobSpec& spec, const CallContext& call) {
  v1::CreateJobRequest request;
  *request.mutable_spec() = spec;
  v1::Job job = Value(jobs->Create(call, request));
  scheduler->Settle();
  return job;
}

std::string Rig::AddWorker(const std::function<void(v1::WorkerCapacity&)>& change) {
  v1::WorkerCapacity capacity;
  capacity.set_cores(2);
  capacity.set_memory_bytes(int64_t{64} << 30);
  capacity.set_compute_class("cpu-avx2");
  capacity.set_code_version("code1");
  capacity.set_host("other-host");
  capacity.set_process_id(42);
  if (change) change(capacity);
  std::string worker = Value(scheduler->RegisterWorker(capacity));
  scheduler->Settle();
  return worker;
}

absl::StatusOr<std::optional<v1::Lease>> Rig::TryLease(const std::string& worker, bool small_only) {
  scheduler->Settle();
  absl::StatusOr<std::optional<v1::Lease>> answer = std::nullopt;
  scheduler->LeaseTask(
      worker, absl::ZeroDuration(), [&](auto lease) { answer = std::move(lease); }, small_only);
  scheduler->Settle();
  return answer;
}

v1::Lease Rig::Lease(const std::string& worker) {
  std::optional<v1::Lease> lease = Value(TryLease(worker));
  CHECK(lease.has_value()) << "no task for " << worker;
  return *lease;
}

std::string Rig::WithProvenance(const std::string& report_bytes, const v1::TaskSpec& spec) {
  v1::Report report;
  CHECK(report.ParseFromString(report_bytes));
  for (const v1::TaskInput& input : spec.inputs()) {
    if (input.name() != TaskFile::kProvenance) continue;
    CHECK(report.mutable_provenance()->ParseFromString(Value(held->ReadWhole(Value(FromProto(input.digest()))))));
  }
  return report.SerializeAsString();
}

v1::CompleteTaskRequest Rig::ResultOf(const std::string& worker, const v1::Lease& lease,
                                      const std::map<std::string, std::string>& outputs) {
  v1::CompleteTaskRequest request;
  request.set_worker(worker);
  request.set_task(lease.task());
  request.set_fencing_token(lease.fencing_token());
  for (const auto& [name, bytes] : outputs) {
    v1::TaskOutput* output = request.mutable_result()->add_outputs();
    output->set_name(name);
    *output->mutable_digest() = ToProto(PutAs({}, bytes));
  }
  return request;
}

v1::CompleteTaskRequest Rig::Results(const std::string& worker, const v1::Lease& lease) {
  std::map<std::string, std::string> outputs = FakeOutputs(lease.spec());
  if (const auto report = outputs.find(TaskFile::kReport); report != outputs.end()) {
    report->second = WithProvenance(report->second, lease.spec());
  }
  v1::CompleteTaskRequest request = ResultOf(worker, lease, outputs);
  request.mutable_result()->set_seconds(0.5);
  return request;
}

absl::Status Rig::Complete(const std::string& worker, const v1::Lease& lease) {
  const absl::Status status = scheduler->CompleteTask(Results(worker, lease));
  scheduler->Settle();
  return status;
}

absl::Status Rig::FailLease(const std::string& worker, const v1::Lease& lease, const absl::Status& error,
                            bool machinery) {
  v1::FailTaskRequest request;
  request.set_worker(worker);
  request.set_task(lease.task());
  request.set_fencing_token(lease.fencing_token());
  *request.mutable_error() = ToProto(error);
  request.set_machinery(machinery);
  const absl::Status status = scheduler->FailTask(request);
  scheduler->Settle();
  return status;
}

bool Rig::Lost(const std::string& worker, const v1::Lease& lease) {
  v1::HeartbeatRequest request;
  request.set_worker(worker);
  auto* running = request.add_running();
  running->set_task(lease.task());
  running->set_fencing_token(lease.fencing_token());
  running->set_progress(0.5);
  return Value(scheduler->Heartbeat(request)).lost_size() > 0;
}

int Rig::RunAll(const std::string& worker, int limit) {
  for (int ran = 0; ran < limit; ++ran) {
    const std::optional<v1::Lease> lease = Value(TryLease(worker));
    if (!lease) return ran;
    Must(Complete(worker, *lease));
  }
  return limit;
}

}  // namespace bitwright::server
