#include "tests/bench/service/workload.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "proto/base/host_name.h"
#include "proto/contract/names.h"
#include "tests/bench/service/daemon.h"
#include "tests/unit/server/support/fake_tasks.h"

namespace bitwright::server {
namespace {

constexpr int kPatienceSeconds = 600;
constexpr std::chrono::milliseconds kMoment{2};
constexpr int kWindows = 4096;
constexpr int kSmallestWindow = 64;
constexpr int kCalibrationTokens = 65'536;
constexpr int kEvaluationTokens = 32'768;
// That of deploy/sample, but for the positions: windows tell the numerics of two jobs apart.
constexpr Shape kSample{.blocks = 6,
                        .hidden = 256,
                        .intermediate = 768,
                        .key_value = 128,
                        .vocabulary = 4096,
                        .max_positions = kSmallestWindow + kWindows};

// One task of each kind, without parameters: what FakeOutputs makes of it serves every task of the kind. The kinds are
// those of the contract, so that none is forgotten when it comes.
std::vector<v1::TaskSpec> OneOfEachKind() {
  std::vector<v1::TaskSpec> specs;
  const auto& params = *v1::TaskSpec::descriptor()->FindOneofByName("params");
  for (int i = 0; i < params.field_count(); ++i) {
    v1::TaskSpec& spec = specs.emplace_back();
    spec.set_kind(params.field(i)->name());
    spec.GetReflection()->MutableMessage(&spec, params.field(i));
  }
  return specs;
}

v1::WorkerCapacity Capacity(int slots) {
  v1::WorkerCapacity capacity;
  capacity.set_cores(2 * slots);
  capacity.set_memory_bytes(int64_t{1} << 50);
  capacity.set_compute_class("cpu-avx2");
  capacity.set_device("cpu");
  capacity.set_code_version("bench");
  capacity.set_host(HostName() + "-simulated");  // no process of this machine, which the server would look for
  capacity.set_slots(slots);
  return capacity;
}

}  // namespace

std::unique_ptr<grpc::ClientContext> PatientContext() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(kPatienceSeconds));
  context->set_wait_for_ready(true);
  return context;
}

Calls::Calls(const std::string& address)
    : channel(OwnChannel(address)),
      jobs(v1::JobService::NewStub(channel)),
      models(v1::ModelService::NewStub(channel)),
      workers(v1::WorkerService::NewStub(channel)),
      bytes(google::bytestream::ByteStream::NewStub(channel)) {}

BlobDigest Calls::Put(std::string_view data) {
  const BlobDigest digest = DigestOf(data);
  const auto context = PatientContext();
  google::bytestream::WriteResponse response;
  const auto writer = bytes->Write(context.get(), &response);
  google::bytestream::WriteRequest request;
  request.set_resource_name(UploadNameText({"put-" + digest.sha256.substr(0, 16), digest}));
  request.set_data(data.data(), data.size());
  request.set_finish_write(true);
  writer->Write(request);
  writer->WritesDone();
  const absl::Status status = FromGrpc(writer->Finish());
  CHECK(status.ok()) << status.ToString();
  return digest;
}

std::string Calls::Register(int slots) {
  v1::RegisterWorkerRequest request;
  *request.mutable_capacity() = Capacity(slots);
  return Must<v1::RegisterWorkerResponse>(*workers, &v1::WorkerService::Stub::RegisterWorker, request).worker();
}

std::optional<v1::Lease> Calls::Lease(const std::string& worker, int most_seconds) {
  v1::LeaseTaskRequest request;
  request.set_worker(worker);
  request.mutable_max_wait()->set_seconds(most_seconds);
  auto response = Must<v1::LeaseTaskResponse>(*workers, &v1::WorkerService::Stub::LeaseTask, request);
  return response.has_lease() ? std::optional(std::move(*response.mutable_lease())) : std::nullopt;
}

v1::HeartbeatResponse Calls::Beat(const v1::HeartbeatRequest& request) {
  return Must<v1::HeartbeatResponse>(*workers, &v1::WorkerService::Stub::Heartbeat, request);
}

v1::Job Calls::CreateJob(const v1::CreateJobRequest& request) {
  return Must<v1::Job>(*jobs, &v1::JobService::Stub::CreateJob, request);
}

Workload::Workload(Calls& calls) {
  Upload(calls);
  CreateModel(calls);
}

void Workload::Upload(Calls& calls) {
  for (const v1::TaskSpec& spec : OneOfEachKind()) {
    v1::TaskResult& result = results_[spec.kind()];
    for (const auto& [name, data] : FakeOutputs(spec, kSample)) {
      v1::TaskOutput& output = *result.add_outputs();
      output.set_name(name);
      *output.mutable_digest() = ToProto(calls.Put(data));
    }
    result.set_seconds(1);
  }
  calibration_ = ToProto(calls.Put("calibration"));
  evaluation_ = ToProto(calls.Put("evaluation"));
}

void Workload::CreateModel(Calls& calls) {
  v1::CreateModelRequest request;
  for (const char* path : {"config.json", "model.safetensors", "tokenizer.json"}) {
    v1::FileEntry& file = *request.mutable_manifest()->add_files();
    file.set_path(path);
    *file.mutable_digest() = ToProto(calls.Put(path));
  }
  model_ = Calls::Must<v1::Model>(*calls.models, &v1::ModelService::Stub::CreateModel, request).name();
  const std::string worker = calls.Register(1);
  // What follows from a call is on its way when that is answered: a task is ready, a model is READY, a moment later.
  std::optional<v1::Lease> lease;
  while (!(lease = calls.Lease(worker))) std::this_thread::sleep_for(kMoment);
  Calls::Must<v1::CompleteTaskResponse>(*calls.workers, &v1::WorkerService::Stub::CompleteTask,
                                        Completion(worker, *lease));
  v1::GetModelRequest get;
  get.set_name(model_);
  while (Calls::Must<v1::Model>(*calls.models, &v1::ModelService::Stub::GetModel, get).state() ==
         v1::Model::INSPECTING) {
    std::this_thread::sleep_for(kMoment);
  }
  v1::DeregisterWorkerRequest leave;
  leave.set_worker(worker);
  Calls::Must<v1::DeregisterWorkerResponse>(*calls.workers, &v1::WorkerService::Stub::DeregisterWorker, leave);
}

v1::CreateJobRequest Workload::Job(int number, int priority) const {
  v1::CreateJobRequest request;
  request.set_request_id("bench-" + std::to_string(number));
  v1::JobSpec& spec = *request.mutable_spec();
  spec.set_model(model_);
  spec.set_recipe("recipes/mixed-gptq");
  spec.mutable_budget()->set_average_bits(4.25);
  spec.set_priority(priority);
  spec.set_display_name("job " + std::to_string(number));
  for (v1::Data* data : {spec.add_calibration(), spec.add_evaluation()}) {
    data->set_kind(v1::Data::TEXT);
    data->set_window(kSmallestWindow + number % kWindows);
  }
  spec.mutable_calibration(0)->set_tokens(kCalibrationTokens + number);
  *spec.mutable_calibration(0)->mutable_blob() = calibration_;
  spec.mutable_evaluation(0)->set_tokens(kEvaluationTokens + number);
  *spec.mutable_evaluation(0)->mutable_blob() = evaluation_;
  return request;
}

v1::CompleteTaskRequest Workload::Completion(const std::string& worker, const v1::Lease& lease) const {
  v1::CompleteTaskRequest request;
  request.set_worker(worker);
  request.set_task(lease.task());
  request.set_fencing_token(lease.fencing_token());
  *request.mutable_result() = results_.at(lease.spec().kind());
  return request;
}

void CreateJobs(const std::string& address, const Workload& workload, int count, int clients) {
  std::atomic<int> next{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < clients; ++t) {
    threads.emplace_back([&] {
      Calls calls(address);
      for (int number = next++; number < count; number = next++) calls.CreateJob(workload.Job(number));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace bitwright::server
