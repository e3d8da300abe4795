#include "bitwright/v1/jobs.grpc.pb.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/services.h"
#include "server/rpc/watch_stream.h"

namespace bitwright::server {
namespace {

using grpc::ByteBuffer;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using RawJobService = v1::JobService::WithRawCallbackMethod_CreateJob<v1::JobService::WithRawCallbackMethod_GetJob<
    v1::JobService::WithRawCallbackMethod_ListJobs<v1::JobService::WithRawCallbackMethod_RetryJob<
        v1::JobService::WithRawCallbackMethod_CancelJob<v1::JobService::WithRawCallbackMethod_DeleteJob<
            v1::JobService::WithRawCallbackMethod_WatchJob<v1::JobService::WithRawCallbackMethod_ListTasks<
                v1::JobService::WithRawCallbackMethod_GetReport<v1::JobService::Service>>>>>>>>>;

class JobService final : public RawJobService {
 public:
  JobService(RpcEnvironment& environment, JobResources& jobs, TaskResources& tasks, Scheduler& scheduler)
      : environment_(environment), jobs_(jobs), tasks_(tasks), scheduler_(scheduler) {}

  ServerUnaryReactor* CreateJob(CallbackServerContext* context, const ByteBuffer* request,
                                ByteBuffer* response) override {
    return RunUnary<v1::CreateJobRequest, v1::Job>(
        environment_, context, kCreateJob, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return Fill(out, jobs_.Create(call, in)); });
  }

  ServerUnaryReactor* GetJob(CallbackServerContext* context, const ByteBuffer* request, ByteBuffer* response) override {
    return RunUnary<v1::GetJobRequest, v1::Job>(
        environment_, context, kGetJob, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return Fill(out, jobs_.Get(call, in.name())); });
  }

  ServerUnaryReactor* ListJobs(CallbackServerContext* context, const ByteBuffer* request,
                               ByteBuffer* response) override {
    return RunUnary<v1::ListJobsRequest, v1::ListJobsResponse>(
        environment_, context, kListJobs, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return Fill(out, jobs_.List(call, in)); });
  }

  ServerUnaryReactor* RetryJob(CallbackServerContext* context, const ByteBuffer* request,
                               ByteBuffer* response) override {
    return RunUnary<v1::RetryJobRequest, v1::Job>(
        environment_, context, kRetryJob, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return Fill(out, jobs_.Retry(call, in)); });
  }

  ServerUnaryReactor* CancelJob(CallbackServerContext* context, const ByteBuffer* request,
                                ByteBuffer* response) override {
    return RunUnary<v1::CancelJobRequest, v1::Job>(environment_, context, kCancelJob, request, response,
                                                   [this](const CallContext& call, const auto& in, auto& out) {
                                                     return Fill(out, jobs_.Cancel(call, in.name(), in.etag()));
                                                   });
  }

  ServerUnaryReactor* DeleteJob(CallbackServerContext* context, const ByteBuffer* request,
                                ByteBuffer* response) override {
    return RunUnary<v1::DeleteJobRequest, v1::DeleteJobResponse>(
        environment_, context, kDeleteJob, request, response,
        [this](const CallContext& call, const auto& in, auto&) { return jobs_.Delete(call, in.name(), in.etag()); });
  }

  grpc::ServerWriteReactor<ByteBuffer>* WatchJob(CallbackServerContext* context, const ByteBuffer* request) override {
    return StartJobWatch(environment_, context, jobs_, scheduler_, *request);
  }

  ServerUnaryReactor* ListTasks(CallbackServerContext* context, const ByteBuffer* request,
                                ByteBuffer* response) override {
    return RunUnary<v1::ListTasksRequest, v1::ListTasksResponse>(
        environment_, context, kListTasks, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return Fill(out, tasks_.List(call, in)); });
  }

  ServerUnaryReactor* GetReport(CallbackServerContext* context, const ByteBuffer* request,
                                ByteBuffer* response) override {
    return RunUnary<v1::GetReportRequest, v1::Report>(environment_, context, kGetReport, request, response,
                                                      [this](const CallContext& call, const auto& in, auto& out) {
                                                        return Fill(out, jobs_.Report(call, in.name(), in.goal()));
                                                      });
  }

 private:
  RpcEnvironment& environment_;
  JobResources& jobs_;
  TaskResources& tasks_;
  Scheduler& scheduler_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeJobService(RpcEnvironment& environment, JobResources& jobs, TaskResources& tasks,
                                              Scheduler& scheduler) {
  return std::make_unique<JobService>(environment, jobs, tasks, scheduler);
}

}  // namespace bitwright::server
