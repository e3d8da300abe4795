#include "tests/unit/client/fake/fake_service.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "bitwright/v1/blobs.grpc.pb.h"
#include "bitwright/v1/capabilities.grpc.pb.h"
#include "bitwright/v1/jobs.grpc.pb.h"
#include "bitwright/v1/models.grpc.pb.h"
#include "bitwright/v1/operator.grpc.pb.h"
#include "bitwright/v1/recipes.grpc.pb.h"
#include "bitwright/v1/workers.grpc.pb.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/base/errors.h"
#include "proto/contract/digest.h"
#include "proto/contract/grpc_status.h"
#include "proto/contract/names.h"
#include "proto/contract/rpc_status.h"

namespace bitwright::client {
namespace {

namespace bytestream = google::bytestream;
using grpc::ServerContext;
using grpc::Status;

Status Broken() { return Status(grpc::StatusCode::UNAVAILABLE, "broken off by the test"); }
Status Error(absl::StatusCode code, const std::string& reason, const std::string& message) {
  return ToGrpc(MakeError(code, reason, message));
}

int64_t TakeBreak(std::deque<int64_t>& breaks) {
  if (breaks.empty()) return -1;
  const int64_t after = breaks.front();
  breaks.pop_front();
  return after;
}

// Two of the list from where the token says; the token of the next two, if there are more.
template <typename Item, typename Repeated>
std::string TwoFrom(const std::vector<Item>& items, const std::string& token, Repeated& page) {
  const size_t begin = token.empty() ? 0 : std::stoul(token);
  for (size_t i = begin; i < std::min(begin + 2, items.size()); ++i) *page.Add() = items[i];
  return begin + 2 < items.size() ? std::to_string(begin + 2) : "";
}

bool TakeOne(int& count) { return count > 0 && count-- > 0; }

std::vector<v1::Goal> GoalsAsked(const v1::JobSpec& spec) {
  if (spec.goals_size() > 0) return {spec.goals().begin(), spec.goals().end()};
  v1::Goal only;
  only.set_target(spec.target());
  only.set_consumer(spec.consumer());
  if (spec.has_budget()) *only.mutable_budget() = spec.budget();
  return {only};
}

void AddFile(const std::string& path, const std::string& data, v1::Manifest& manifest,
             std::map<std::string, std::string>& blobs) {
  const BlobDigest digest = DigestOf(data);
  blobs[digest.ToString()] = data;
  v1::FileEntry* entry = manifest.add_files();
  entry->set_path(path);
  *entry->mutable_digest() = ToProto(digest);
}

}  // namespace

struct FakeService::Services {
  explicit Services(FakeService& service) : fake(service) {}
  FakeService& fake;
  std::mutex mutex;
  std::condition_variable ended;
  bool ending = false;
  std::map<std::string, std::string> uploads;  // bytes by name
  v1::Model model;
  v1::Job job;
  int port = 0;
  std::string address;
  std::unique_ptr<grpc::Server> server;

  struct Bytes final : bytestream::ByteStream::Service {
    explicit Bytes(Services& s) : s(s) {}
    Services& s;
    Status Write(ServerContext*, grpc::ServerReader<bytestream::WriteRequest>* reader,
                 bytestream::WriteResponse* response) override {
      bytestream::WriteRequest request;
      std::string name;
      int64_t break_after = -1;
      int64_t received = 0;
      for (bool first = true; reader->Read(&request); first = false) {
        std::lock_guard lock(s.mutex);
        if (first) {
          name = request.resource_name();
          const bool new_name = std::find(s.fake.seen.write_names.begin(), s.fake.seen.write_names.end(), name) ==
                                s.fake.seen.write_names.end();
          s.fake.seen.write_names.push_back(name);
          s.fake.seen.write_offsets.push_back(request.write_offset());
          break_after = TakeBreak(s.fake.plan.break_writes_after);
          if (new_name && std::exchange(s.fake.plan.busy_uploads, false)) {
            return Error(absl::StatusCode::kInvalidArgument, "UPLOAD_OFFSET", "another client wrote there");
          }
        }
        if (s.fake.plan.blobs_arrive) {
          response->set_committed_size(ParseUploadName(name)->digest.size_bytes);
          return Status::OK;
        }
        std::string& held = s.uploads[name];
        if (request.write_offset() != static_cast<int64_t>(held.size())) {
          return Error(absl::StatusCode::kInvalidArgument, "UPLOAD_OFFSET", "wrong offset");
        }
        held += request.data();
        received += static_cast<int64_t>(request.data().size());
        if (break_after >= 0 && received >= break_after) return Broken();
        if (request.finish_write()) break;
      }
      std::lock_guard lock(s.mutex);
      const auto upload = ParseUploadName(name);
      if (!upload.ok()) return ToGrpc(upload.status());
      const std::string bytes = s.uploads[name];
      s.uploads.erase(name);
      if (DigestOf(bytes) != upload->digest) {
        return Error(absl::StatusCode::kInvalidArgument, "BLOB_DIGEST_MISMATCH", "other bytes");
      }
      s.fake.blobs[upload->digest.ToString()] = bytes;
      response->set_committed_size(static_cast<int64_t>(bytes.size()));
      return Status::OK;
    }
    Status QueryWriteStatus(ServerContext*, const bytestream::QueryWriteStatusRequest* request,
                            bytestream::QueryWriteStatusResponse* response) override {
      std::lock_guard lock(s.mutex);
      const auto upload = ParseUploadName(request->resource_name());
      if (upload.ok() && s.fake.blobs.contains(upload->digest.ToString())) {
        response->set_committed_size(upload->digest.size_bytes);
        response->set_complete(true);
        return Status::OK;
      }
      const auto it = s.uploads.find(request->resource_name());
      if (it == s.uploads.end()) return Error(absl::StatusCode::kNotFound, "UPLOAD_UNKNOWN", "no such upload");
      response->set_committed_size(static_cast<int64_t>(it->second.size()));
      return Status::OK;
    }
    Status Read(ServerContext*, const bytestream::ReadRequest* request,
                grpc::ServerWriter<bytestream::ReadResponse>* writer) override {
      std::string bytes;
      int64_t break_after = -1;
      {
        std::lock_guard lock(s.mutex);
        const auto it = s.fake.blobs.find(request->resource_name().substr(6));
        if (it == s.fake.blobs.end()) return Error(absl::StatusCode::kNotFound, "BLOB_NOT_FOUND", "no such blob");
        bytes = it->second;
        if (request->read_limit() > 0) {
          bytes.resize(std::min(bytes.size(), static_cast<size_t>(request->read_offset() + request->read_limit())));
        }
        s.fake.seen.read_offsets.push_back(request->read_offset());
        break_after = TakeBreak(s.fake.plan.break_reads_after);
        const bool corrupt = !bytes.empty() && bytes == s.fake.plan.corrupt_bytes;
        if (corrupt || TakeOne(s.fake.plan.corrupt_reads)) std::fill(bytes.begin(), bytes.end(), '!');
      }
      constexpr size_t kChunk = 1000;
      int64_t sent = 0;
      for (size_t at = static_cast<size_t>(request->read_offset()); at < bytes.size(); at += kChunk) {
        if (break_after >= 0 && sent >= break_after) return Broken();
        bytestream::ReadResponse response;
        response.set_data(bytes.substr(at, kChunk));
        sent += static_cast<int64_t>(response.data().size());
        writer->Write(response);
      }
      return Status::OK;
    }
  } bytes{*this};

  struct Blobs final : v1::BlobService::Service {
    explicit Blobs(Services& s) : s(s) {}
    Services& s;
    Status FindMissingBlobs(ServerContext*, const v1::FindMissingBlobsRequest* request,
                            v1::FindMissingBlobsResponse* response) override {
      std::lock_guard lock(s.mutex);
      for (const auto& digest : request->digests()) {
        if (!s.fake.blobs.contains(FromProto(digest)->ToString())) *response->add_missing() = digest;
      }
      return Status::OK;
    }
  } blobs{*this};

  struct Models final : v1::ModelService::Service {
    explicit Models(Services& s) : s(s) {}
    Services& s;
    Status CreateModel(ServerContext*, const v1::CreateModelRequest* request, v1::Model* model) override {
      std::lock_guard lock(s.mutex);
      ++s.fake.seen.create_models;
      if (TakeOne(s.fake.plan.lose_blobs)) {
        s.fake.blobs.clear();
        return Error(absl::StatusCode::kFailedPrecondition, "BLOB_MISSING", "collected");
      }
      s.fake.seen.model_name = request->display_name();
      s.model.set_name("models/m1");
      s.model.set_display_name(request->display_name());
      *s.model.mutable_manifest() = request->manifest();
      s.model.set_state(v1::Model::INSPECTING);
      *s.model.mutable_waiting() = s.fake.plan.waiting;
      *model = s.model;
      return Status::OK;
    }
    Status GetModel(ServerContext*, const v1::GetModelRequest* request, v1::Model* model) override {
      std::lock_guard lock(s.mutex);
      if (TakeOne(s.fake.plan.unavailable_calls)) return Broken();
      if (request->name() != s.model.name()) {
        return Error(absl::StatusCode::kNotFound, "MODEL_NOT_FOUND", "no model " + request->name());
      }
      if (!TakeOne(s.fake.plan.inspections)) EndInspection();
      *model = s.model;
      return Status::OK;
    }
    void EndInspection() {
      s.model.clear_waiting();
      s.model.set_state(s.fake.plan.reject_model ? v1::Model::REJECTED : v1::Model::READY);
      if (s.fake.plan.reject_model) {
        *s.model.mutable_error() = ToProto(MakeError(absl::StatusCode::kInvalidArgument, "TENSOR_MISSING",
                                                     "tensor 'x' is missing", {{"tensor", "x"}}));
      }
    }
    Status WatchModel(ServerContext*, const v1::WatchModelRequest*, grpc::ServerWriter<v1::Model>* writer) override {
      std::lock_guard lock(s.mutex);
      while (true) {
        const bool last = !TakeOne(s.fake.plan.inspections);
        if (last) EndInspection();
        s.model.set_revision(s.model.revision() + 1);
        writer->Write(s.model);
        if (last) return Status::OK;
        if (TakeOne(s.fake.plan.break_watches)) return Broken();
      }
    }
    Status ListModels(ServerContext*, const v1::ListModelsRequest* request, v1::ListModelsResponse* response) override {
      {
        std::lock_guard lock(s.mutex);
        s.fake.seen.filters.push_back(request->filter());
        if (!s.fake.plan.listed_models.empty()) {
          for (const v1::Model& listed : s.fake.plan.listed_models) *response->add_models() = listed;
          return Status::OK;
        }
      }
      const int page = request->page_token().empty() ? 0 : std::stoi(request->page_token());
      response->add_models()->set_name("models/page" + std::to_string(page));
      if (page < 2) response->set_next_page_token(std::to_string(page + 1));
      return Status::OK;
    }
  } models{*this};

  struct Workers final : v1::WorkerService::Service {
    explicit Workers(Services& s) : s(s) {}
    Services& s;
    Status ListWorkers(ServerContext*, const v1::ListWorkersRequest* request,
                       v1::ListWorkersResponse* response) override {
      std::lock_guard lock(s.mutex);
      response->set_next_page_token(TwoFrom(s.fake.plan.workers, request->page_token(), *response->mutable_workers()));
      return Status::OK;
    }
  } workers{*this};

  struct Operator final : v1::OperatorService::Service {
    explicit Operator(Services& s) : s(s) {}
    Services& s;
    Status Steer(const char* call, const std::string& name, v1::Worker::State state, v1::Worker* worker) {
      std::lock_guard lock(s.mutex);
      s.fake.seen.operated.push_back(std::string(call) + " " + name);
      worker->set_name(name);
      worker->set_state(state);
      return Status::OK;
    }
    Status CordonWorker(ServerContext*, const v1::CordonWorkerRequest* request, v1::Worker* worker) override {
      return Steer("CordonWorker", request->name(), v1::Worker::CORDONED, worker);
    }
    Status UncordonWorker(ServerContext*, const v1::UncordonWorkerRequest* request, v1::Worker* worker) override {
      return Steer("UncordonWorker", request->name(), v1::Worker::ACTIVE, worker);
    }
    Status DrainWorker(ServerContext*, const v1::DrainWorkerRequest* request, v1::Worker* worker) override {
      return Steer("DrainWorker", request->name(), v1::Worker::DRAINING, worker);
    }
    Status RequeueTask(ServerContext*, const v1::RequeueTaskRequest* request, v1::Task* task) override {
      std::lock_guard lock(s.mutex);
      s.fake.seen.operated.push_back("RequeueTask " + request->name());
      if (TakeOne(s.fake.plan.unavailable_calls)) return Broken();
      task->set_name(request->name());
      return Status::OK;
    }
    Status Find(const std::string& digest) {
      if (digest == s.fake.plan.cache_entry.digest()) return Status::OK;
      return Error(absl::StatusCode::kNotFound, "CACHE_ENTRY_NOT_FOUND", "nothing for " + digest);
    }
    Status GetCacheEntry(ServerContext*, const v1::GetCacheEntryRequest* request, v1::CacheEntry* entry) override {
      std::lock_guard lock(s.mutex);
      *entry = s.fake.plan.cache_entry;
      entry->set_tenant(request->tenant());
      return Find(request->digest());
    }
    Status DeleteCacheEntry(ServerContext*, const v1::DeleteCacheEntryRequest* request,
                            v1::DeleteCacheEntryResponse*) override {
      std::lock_guard lock(s.mutex);
      s.fake.seen.operated.push_back("DeleteCacheEntry " + request->tenant());
      return Find(request->digest());
    }
    Status GetTenant(ServerContext*, const v1::GetTenantRequest* request, v1::Tenant* tenant) override {
      std::lock_guard lock(s.mutex);
      *tenant = s.fake.plan.tenant;
      tenant->set_name(request->name());
      return Status::OK;
    }
    Status ListTenants(ServerContext*, const v1::ListTenantsRequest*, v1::ListTenantsResponse* response) override {
      std::lock_guard lock(s.mutex);
      *response->add_tenants() = s.fake.plan.tenant;
      return Status::OK;
    }
    Status UpdateTenantLimits(ServerContext*, const v1::UpdateTenantLimitsRequest* request,
                              v1::Tenant* tenant) override {
      std::lock_guard lock(s.mutex);
      s.fake.seen.operated.push_back("UpdateTenantLimits " + request->name());
      *s.fake.plan.tenant.mutable_limits() = request->limits();
      s.fake.plan.tenant.set_own_limits(true);
      *tenant = s.fake.plan.tenant;
      return Status::OK;
    }
  } operators{*this};

  struct Jobs final : v1::JobService::Service {
    explicit Jobs(Services& s) : s(s) {}
    Services& s;
    Status ListTasks(ServerContext*, const v1::ListTasksRequest* request, v1::ListTasksResponse* response) override {
      std::lock_guard lock(s.mutex);
      response->set_next_page_token(TwoFrom(s.fake.plan.tasks, request->page_token(), *response->mutable_tasks()));
      return Status::OK;
    }
    Status CancelJob(ServerContext*, const v1::CancelJobRequest* request, v1::Job* job) override {
      std::lock_guard lock(s.mutex);
      s.fake.seen.etag = request->etag();
      job->set_name(request->name());
      return Status::OK;
    }
    Status CreateJob(ServerContext*, const v1::CreateJobRequest* request, v1::Job* job) override {
      std::lock_guard lock(s.mutex);
      if (!request->validate_only()) ++s.fake.seen.create_jobs;
      s.fake.seen.spec = request->spec();
      s.job.Clear();
      *s.job.mutable_spec() = request->spec();
      s.job.set_state(v1::Job::QUEUED);
      *s.job.mutable_estimate() = s.fake.plan.estimate;
      s.job.mutable_estimate()->set_tasks(12);
      for (const v1::Goal& goal : GoalsAsked(s.job.spec())) {
        v1::GoalEstimate* estimate = s.job.mutable_estimate()->add_goals();
        *estimate = s.fake.plan.goal_estimate;
        *estimate->mutable_goal() = goal;
      }
      s.job.mutable_notices()->Add(s.fake.plan.notices.begin(), s.fake.plan.notices.end());
      if (!s.fake.plan.recipe_renamed.empty()) {
        s.job.mutable_spec()->mutable_inline_recipe()->set_name(s.fake.plan.recipe_renamed);
      }
      if (!request->validate_only()) s.job.set_name("jobs/j1");
      s.job.set_revision(1);
      *job = s.job;
      return Status::OK;
    }
    Status GetJob(ServerContext*, const v1::GetJobRequest* request, v1::Job* job) override {
      std::lock_guard lock(s.mutex);
      if (TakeOne(s.fake.plan.failing_calls)) return Status(static_cast<grpc::StatusCode>(s.fake.plan.fail_code), "");
      if (TakeOne(s.fake.plan.unavailable_calls)) return Broken();
      if (request->name() != s.job.name()) {
        return Error(absl::StatusCode::kNotFound, "JOB_NOT_FOUND", "no job " + request->name());
      }
      *job = s.job;
      return Status::OK;
    }
    Status ListJobs(ServerContext*, const v1::ListJobsRequest* request, v1::ListJobsResponse* response) override {
      std::lock_guard lock(s.mutex);
      s.fake.seen.filters.push_back(request->filter());
      s.fake.seen.order = request->order_by();
      for (const v1::Job& listed : s.fake.plan.listed_jobs) *response->add_jobs() = listed;
      return Status::OK;
    }
    Status RetryJob(ServerContext*, const v1::RetryJobRequest* request, v1::Job* job) override {
      std::lock_guard lock(s.mutex);
      s.fake.seen.retried = request->name();
      job->set_name("jobs/j2");
      return Status::OK;
    }
    Status GetReport(ServerContext*, const v1::GetReportRequest* request, v1::Report* report) override {
      std::lock_guard lock(s.mutex);
      const std::vector<v1::Goal> goals = GoalsAsked(s.job.spec());
      if (static_cast<size_t>(request->goal()) >= goals.size()) {
        return Error(absl::StatusCode::kInvalidArgument, "GOAL_UNKNOWN", "no such goal");
      }
      const v1::Goal& goal = goals[static_cast<size_t>(request->goal())];
      *report = s.fake.report;
      report->set_target(goal.target());
      *report->mutable_budget() = goal.budget();
      return Status::OK;
    }
    void AddOutcomes() {
      *s.job.mutable_artifact() = s.fake.artifact;
      const std::vector<v1::Goal> goals = GoalsAsked(s.job.spec());
      for (size_t g = 0; g < goals.size(); ++g) {
        v1::Outcome* outcome = s.job.add_outcomes();
        *outcome->mutable_goal() = goals[g];
        *outcome->mutable_artifact() = s.fake.artifact;
        if (g > 0) AddFile("goal.txt", std::to_string(g), *outcome->mutable_artifact(), s.fake.blobs);
      }
    }
    Status WatchJob(ServerContext* context, const v1::WatchJobRequest*, grpc::ServerWriter<v1::Job>* writer) override {
      std::unique_lock lock(s.mutex);
      const bool silent = TakeOne(s.fake.plan.silent_watches);
      const bool breaks = TakeOne(s.fake.plan.break_watches);
      s.job.set_revision(s.job.revision() + 1);
      s.job.set_state(v1::Job::RUNNING);
      s.job.clear_stages();
      s.job.set_progress(0.25);
      s.job.mutable_start_time()->set_seconds(1);
      *s.job.mutable_waiting() = s.fake.plan.waiting;
      v1::Stage* stage = s.job.add_stages();
      stage->set_kind("calibrate");
      stage->set_tasks(4);
      stage->set_running(1);
      writer->Write(s.job);
      if (breaks) return Broken();
      if (silent) {
        while (!context->IsCancelled()) s.ended.wait_for(lock, std::chrono::milliseconds(5));
        return Status::CANCELLED;
      }
      if (s.fake.plan.job_hangs) {
        s.ended.wait(lock, [&] { return s.ending; });
        return Broken();
      }
      s.job.clear_waiting();
      s.job.mutable_end_time()->set_seconds(4);
      stage->set_running(0);
      stage->set_finished(4);
      stage->set_cached(1);
      s.job.set_state(s.fake.plan.job_end);
      s.job.set_revision(s.job.revision() + 1);
      s.job.clear_outcomes();
      if (s.job.state() == v1::Job::SUCCEEDED) AddOutcomes();
      if (s.job.state() == v1::Job::FAILED) {
        *s.job.mutable_error() = ToProto(
            MakeError(absl::StatusCode::kInvalidArgument, "CALIBRATION_EMPTY", "the calibration text is empty"));
      }
      writer->Write(s.job);
      return Status::OK;
    }
  } jobs{*this};

  struct Recipes final : v1::RecipeService::Service {
    explicit Recipes(Services& s) : s(s) {}
    Services& s;
    Status ListRecipes(ServerContext* context, const v1::ListRecipesRequest*,
                       v1::ListRecipesResponse* response) override {
      std::lock_guard lock(s.mutex);
      s.fake.seen.metadata.clear();
      for (const auto& [key, value] : context->client_metadata()) {
        s.fake.seen.metadata.emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
      }
      for (const char* name : {"mixed-gptq", "mixed-rtn", "uniform-gptq"}) {
        response->add_recipes()->set_name(std::string("recipes/") + name);
      }
      return Status::OK;
    }
  } recipes{*this};

  struct Capabilities final : v1::CapabilityService::Service {
    explicit Capabilities(Services& s) : s(s) {}
    Services& s;
    Status GetCapabilities(ServerContext*, const v1::GetCapabilitiesRequest*, v1::Capabilities* response) override {
      std::lock_guard lock(s.mutex);
      if (!s.fake.plan.knows_capabilities) return Status(grpc::StatusCode::UNIMPLEMENTED, "");
      *response = s.fake.plan.capabilities;
      return Status::OK;
    }
  } capabilities{*this};
};

FakeService::FakeService(const std::string& listen) : services_(std::make_unique<Services>(*this)) {
  Services& s = *services_;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &s.port);
  for (grpc::Service* service : std::initializer_list<grpc::Service*>{
           &s.bytes, &s.blobs, &s.models, &s.jobs, &s.recipes, &s.capabilities, &s.workers, &s.operators}) {
    builder.RegisterService(service);
  }
  s.server = builder.BuildAndStart();
  s.address = listen.ends_with(":0") ? listen.substr(0, listen.size() - 1) + std::to_string(s.port) : listen;
}

FakeService::~FakeService() {
  {
    std::lock_guard lock(services_->mutex);
    services_->ending = true;
  }
  services_->ended.notify_all();
  services_->server->Shutdown(std::chrono::system_clock::now());
}

std::string FakeService::address() const { return services_->address; }

void FakeService::AddArtifactFile(const std::string& path, const std::string& data) {
  AddFile(path, data, artifact, blobs);
}

}  // namespace bitwright::client
