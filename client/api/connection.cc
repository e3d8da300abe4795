#include "client/api/connection.h"

#include <google/protobuf/empty.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpc/grpc.h>
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "bitwright/v1/capabilities.grpc.pb.h"
#include "bitwright/v1/jobs.grpc.pb.h"
#include "bitwright/v1/models.grpc.pb.h"
#include "bitwright/v1/operator.grpc.pb.h"
#include "bitwright/v1/recipes.grpc.pb.h"
#include "bitwright/v1/workers.grpc.pb.h"
#include "client/api/client_errors.h"
#include "client/api/foreign_status.h"
#include "proto/base/errors.h"
#include "proto/base/host_name.h"
#include "proto/base/text_fields.h"
#include "proto/contract/limits.h"
#include "proto/contract/reasons.h"
#include "proto/transfer/blob_download.h"
#include "proto/transfer/blob_upload.h"
#include "proto/transfer/channel.h"
#include "proto/transfer/grpc_calls.h"
#include "proto/transfer/transfer_errors.h"

namespace bitwright::client {
namespace {

constexpr absl::Duration kHealthLimit = absl::Seconds(2);

// gRPC 1.51 may wait 10 s for its own poller when the last object goes; so the library is never let go.
void KeepLibrary() {
  static const bool kept = [] {
    grpc_init();
    return true;
  }();
  (void)kept;
}

// Reports and jobs of large models may pass the usual 4 MiB; the server is the one that the user chose.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenToService(const ConnectionOptions& options) {
  KeepLibrary();
  return OpenChannel(options.address, options.access, static_cast<int>(limits::kMaxInlineProtoBytes), options.metadata);
}

// Waits in part inside gRPC: a channel makes progress only while some call polls, and otherwise sees a server that came
// back only every 5 s.
class PollingClock final : public Clock {
 public:
  PollingClock(const Clock& clock, std::shared_ptr<grpc::Channel> channel)
      : clock_(clock), channel_(std::move(channel)) {}
  absl::Time Now() const override { return clock_.Now(); }
  MonotonicTime Monotonic() const override { return clock_.Monotonic(); }
  absl::Status Sleep(absl::Duration duration, const CancelToken& cancel) const override {
    constexpr absl::Duration kPoll = absl::Milliseconds(50);
    ABSL_RETURN_IF_ERROR(clock_.Sleep(duration, cancel));
    channel_->WaitForConnected(absl::ToChronoTime(absl::Now() + kPoll));
    return cancel.Check();
  }

 private:
  const Clock& clock_;
  std::shared_ptr<grpc::Channel> channel_;
};

// The same file of the same user on the same machine gets the same id, so that a new process continues an old upload.
std::string UploadId(const LocalFile& file, const BlobDigest& digest) {
  std::error_code ignored;
  const std::string path = std::filesystem::absolute(file.path(), ignored).lexically_normal().string();
  return Sha256Hex(absl::StrCat(HostName(), "\n", ::getuid(), "\n", path, "\n", digest.ToString())).substr(0, 32);
}

class GrpcConnection final : public Connection {
 public:
  GrpcConnection(ConnectionOptions options, std::shared_ptr<grpc::Channel> channel)
      : options_(std::move(options)),
        channel_(std::move(channel)),
        clock_(*options_.clock, channel_),
        models_(v1::ModelService::NewStub(channel_)),
        jobs_(v1::JobService::NewStub(channel_)),
        recipes_(v1::RecipeService::NewStub(channel_)),
        workers_(v1::WorkerService::NewStub(channel_)),
        operator_(v1::OperatorService::NewStub(channel_)),
        capabilities_(v1::CapabilityService::NewStub(channel_)) {
    if (options_.cancel == nullptr) options_.cancel = std::make_shared<CancelToken>();
  }

#define BITWRIGHT_UNARY(Method, stub, Response)                                                           \
  absl::StatusOr<v1::Response> Method(const v1::Method##Request& request) override {                      \
    ABSL_RETURN_IF_ERROR(CheckTextFields(request));                                                       \
    return Final(RetryUnary<v1::Response>(Retry(), *options_.cancel, [&](auto* context, auto* response) { \
      return stub->Method(context, request, response);                                                    \
    }));                                                                                                  \
  }
  BITWRIGHT_UNARY(CreateModel, models_, Model)
  BITWRIGHT_UNARY(GetModel, models_, Model)
  BITWRIGHT_UNARY(ListModels, models_, ListModelsResponse)
  BITWRIGHT_UNARY(DeleteModel, models_, DeleteModelResponse)
  BITWRIGHT_UNARY(CreateJob, jobs_, Job)
  BITWRIGHT_UNARY(GetJob, jobs_, Job)
  BITWRIGHT_UNARY(ListJobs, jobs_, ListJobsResponse)
  BITWRIGHT_UNARY(RetryJob, jobs_, Job)
  BITWRIGHT_UNARY(CancelJob, jobs_, Job)
  BITWRIGHT_UNARY(DeleteJob, jobs_, DeleteJobResponse)
  BITWRIGHT_UNARY(GetReport, jobs_, Report)
  BITWRIGHT_UNARY(ListRecipes, recipes_, ListRecipesResponse)
  BITWRIGHT_UNARY(GetRecipe, recipes_, Recipe)
  BITWRIGHT_UNARY(ListTasks, jobs_, ListTasksResponse)
  BITWRIGHT_UNARY(ListWorkers, workers_, ListWorkersResponse)
  BITWRIGHT_UNARY(CordonWorker, operator_, Worker)
  BITWRIGHT_UNARY(UncordonWorker, operator_, Worker)
  BITWRIGHT_UNARY(DrainWorker, operator_, Worker)
  BITWRIGHT_UNARY(GetCacheEntry, operator_, CacheEntry)
  BITWRIGHT_UNARY(DeleteCacheEntry, operator_, DeleteCacheEntryResponse)
  BITWRIGHT_UNARY(GetTenant, operator_, Tenant)
  BITWRIGHT_UNARY(ListTenants, operator_, ListTenantsResponse)
  BITWRIGHT_UNARY(UpdateTenantLimits, operator_, Tenant)
  BITWRIGHT_UNARY(GetCapabilities, capabilities_, Capabilities)
#undef BITWRIGHT_UNARY

  absl::StatusOr<v1::Task> RequeueTask(const v1::RequeueTaskRequest& request) override {
    ABSL_RETURN_IF_ERROR(CheckTextFields(request));
    Attempt attempt(*options_.cancel, kUnaryLimit);
    v1::Task task;
    const absl::Status status =
        FromAttempt(operator_->RequeueTask(attempt.context(), request, &task), *options_.cancel);
    if (!status.ok()) return Final(status);
    return Final(absl::StatusOr<v1::Task>(std::move(task)));
  }

  absl::Status WaitUntilServing(absl::Duration patience) override {
    RetryPolicy policy = options_.retry;
    policy.give_up = patience;
    policy.longest = absl::Milliseconds(200);
    for (RetryLoop retry(policy, clock_, *options_.cancel);;) {
      const absl::Status status = CheckHealth();
      if (status.ok()) return Final(status);
      if (const absl::Status waited = retry.WaitAfter(status); !waited.ok()) return Final(waited);
    }
  }

  absl::StatusOr<std::vector<FileToUpload>> FindMissing(std::span<const FileToUpload> files) override {
    return Final(FindMissingFiles(Transfers(), files));
  }

  absl::Status Upload(const LocalFile& file, const BlobDigest& digest,
                      const std::function<void(int64_t)>& on_committed) override {
    return Final(UploadBlob(Transfers(), file, digest, {UploadId(file, digest), on_committed}));
  }

  absl::Status Download(const BlobDigest& digest, const std::string& path,
                        const std::function<void(int64_t)>& on_bytes) override {
    return Final(DownloadBlob(
        Transfers(), digest, path,
        {.unwritable = FileUnwritableError, .corrupt = DownloadCorruptError, .durable = true, .on_bytes = on_bytes}));
  }

  absl::StatusOr<v1::Job> WatchJob(const std::string& name,
                                   const std::function<void(const v1::Job&)>& on_job) override {
    v1::WatchJobRequest request;
    request.set_name(name);
    return Watch<v1::Job>(
        request, [&](auto* context) { return jobs_->WatchJob(context, request); },
        [](const v1::Job& job) { return job.state() >= v1::Job::SUCCEEDED; }, on_job);
  }

  absl::StatusOr<v1::Model> WatchModel(const std::string& name,
                                       const std::function<void(const v1::Model&)>& on_model) override {
    v1::WatchModelRequest request;
    request.set_name(name);
    return Watch<v1::Model>(
        request, [&](auto* context) { return models_->WatchModel(context, request); },
        [](const v1::Model& model) { return model.state() >= v1::Model::READY; }, on_model);
  }

 private:
  // A stream of states, begun again where it is broken off, until the last one.
  template <typename Message, typename Request, typename Open>
  absl::StatusOr<Message> Watch(const Request& request, const Open& open, bool (*is_last)(const Message&),
                                const std::function<void(const Message&)>& on_message) {
    ABSL_RETURN_IF_ERROR(CheckTextFields(request));
    Message latest;
    for (RetryLoop retry = Retry();;) {
      Attempt attempt(*options_.cancel, options_.watch_limit);
      const auto reader = open(attempt.context());
      Message message;
      bool answered = false;
      while (reader->Read(&message)) {
        answered = true;
        retry.Progressed();
        if (!latest.name().empty() && message.revision() <= latest.revision()) continue;
        latest = message;
        if (on_message) on_message(latest);
      }
      absl::Status status = FromAttempt(reader->Finish(), *options_.cancel);
      if (is_last(latest)) return Final(absl::StatusOr<Message>(latest));
      // A server that says nothing new for so long is there all the same.
      if (answered && absl::IsDeadlineExceeded(status)) retry.Progressed();
      if (status.ok() || absl::IsDeadlineExceeded(status)) status = StreamEndedError();
      if (status = retry.WaitAfter(status); !status.ok()) return Final(status);
    }
  }

  // The first contact is given up sooner than a service that is known to be there.
  RetryPolicy Policy() const {
    RetryPolicy policy = options_.retry;
    if (!reached_) policy.give_up = std::min(policy.give_up, options_.connect_patience);
    return policy;
  }
  RetryLoop Retry() const { return RetryLoop(Policy(), clock_, *options_.cancel); }
  TransferContext Transfers() const {
    TransferPolicy policy = kClientTransfers;
    policy.retry = Policy();
    return {channel_, clock_, *options_.cancel, policy};
  }

  absl::Status Final(const absl::Status& status) {
    if (!absl::IsUnavailable(status)) {
      reached_ = true;
      return WithReason(options_.address, status);
    }
    // An error with another reason is the server's own.
    const std::string reason = ErrorReason(status);
    if (!reason.empty() && reason != Reason::kStreamEnded && reason != Reason::kServerNotReady) {
      return WithReason(options_.address, status);
    }
    if (status.message().empty()) return WithReason(options_.address, absl::UnavailableError(""));
    return ServerUnreachableError(options_.address, std::string(status.message()));
  }
  template <typename T>
  absl::StatusOr<T> Final(absl::StatusOr<T> result) {
    const absl::Status status = Final(result.status());
    if (!status.ok()) return status;
    return result;
  }

  // grpc.health.v1.HealthCheckRequest of the whole server is empty; HealthCheckResponse is `status = 1`, SERVING = 1
  // (github.com/grpc/grpc/blob/master/src/proto/grpc/health/v1/health.proto), read here as an unknown field.
  absl::Status CheckHealth() {
    using google::protobuf::Empty;
    grpc::TemplatedGenericStub<Empty, Empty> stub(channel_);
    Attempt attempt(*options_.cancel, kHealthLimit);
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareUnaryCall(attempt.context(), "/grpc.health.v1.Health/Check", {}, &queue);
    Empty response;
    grpc::Status result;
    call->StartCall();
    call->Finish(&response, &result, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    const absl::Status status = FromAttempt(result, *options_.cancel);
    if (absl::IsDeadlineExceeded(status)) return ServerNotReadyError(std::string(status.message()));
    ABSL_RETURN_IF_ERROR(status);
    const auto& fields = Empty::GetReflection()->GetUnknownFields(response);
    for (int i = 0; i < fields.field_count(); ++i) {
      const auto& field = fields.field(i);
      if (field.number() == 1 && field.type() == google::protobuf::UnknownField::TYPE_VARINT && field.varint() == 1) {
        return absl::OkStatus();
      }
    }
    return ServerNotReadyError("the server is not ready yet");
  }

  ConnectionOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
  const PollingClock clock_;
  std::unique_ptr<v1::ModelService::StubInterface> models_;
  std::unique_ptr<v1::JobService::StubInterface> jobs_;
  std::unique_ptr<v1::RecipeService::StubInterface> recipes_;
  std::unique_ptr<v1::WorkerService::StubInterface> workers_;
  std::unique_ptr<v1::OperatorService::StubInterface> operator_;
  std::unique_ptr<v1::CapabilityService::StubInterface> capabilities_;
  std::atomic<bool> reached_{false};
};

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connect(ConnectionOptions options) {
  ABSL_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, OpenToService(options));
  return std::make_unique<GrpcConnection>(std::move(options), std::move(channel));
}

}  // namespace bitwright::client
