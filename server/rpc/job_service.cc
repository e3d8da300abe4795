#include "bitwright/v1/jobs.grpc.pb.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/services.h"
#include "server/rpc/watch_stream.h"

namespace bitwright::server {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

class JobService final : public v1::JobService::CallbackService {
 public:
  JobService(RpcEnvironment& environment, JobResources& jobs, Scheduler& scheduler)
      : environment_(environment), jobs_(jobs), scheduler_(scheduler) {}

  ServerUnaryReactor* CreateJob(CallbackServerContext* context, const v1::CreateJobRequest* request,
                                v1::Job* response) override {
    return RunUnary(environment_, context, "CreateJob", [=, this] { return Fill(response, jobs_.Create(*request)); });
  }

  ServerUnaryReactor* GetJob(CallbackServerContext* context, const v1::GetJobRequest* request,
                             v1::Job* response) override {
    return RunUnary(environment_, context, "GetJob", [=, this] { return Fill(response, jobs_.Get(request->name())); });
  }

  ServerUnaryReactor* ListJobs(CallbackServerContext* context, const v1::ListJobsRequest* request,
                               v1::ListJobsResponse* response) override {
    return RunUnary(environment_, context, "ListJobs", [=, this] { return Fill(response, jobs_.List(*request)); });
  }

  ServerUnaryReactor* CancelJob(CallbackServerContext* context, const v1::CancelJobRequest* request,
                                v1::Job* response) override {
    return RunUnary(environment_, context, "CancelJob",
                    [=, this] { return Fill(response, jobs_.Cancel(request->name())); });
  }

  ServerUnaryReactor* DeleteJob(CallbackServerContext* context, const v1::DeleteJobRequest* request,
                                v1::DeleteJobResponse*) override {
    return RunUnary(environment_, context, "DeleteJob", [=, this] { return jobs_.Delete(request->name()); });
  }

  grpc::ServerWriteReactor<v1::Job>* WatchJob(CallbackServerContext*, const v1::WatchJobRequest* request) override {
    return StartWatchStream(environment_, jobs_, scheduler_, request->name());
  }

  ServerUnaryReactor* GetReport(CallbackServerContext* context, const v1::GetReportRequest* request,
                                v1::Report* response) override {
    return RunUnary(environment_, context, "GetReport",
                    [=, this] { return Fill(response, jobs_.Report(request->name())); });
  }

 private:
  RpcEnvironment& environment_;
  JobResources& jobs_;
  Scheduler& scheduler_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeJobService(RpcEnvironment& environment, JobResources& jobs, Scheduler& scheduler) {
  return std::make_unique<JobService>(environment, jobs, scheduler);
}

}  // namespace bitwright::server
