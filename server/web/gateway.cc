#include "server/web/gateway.h"

#include <grpcpp/channel.h>

#include "bitwright/v1/capabilities.grpc.pb.h"
#include "bitwright/v1/jobs.grpc.pb.h"
#include "bitwright/v1/models.grpc.pb.h"
#include "bitwright/v1/recipes.grpc.pb.h"
#include "bitwright/v1/workers.grpc.pb.h"
#include "proto/transfer/grpc_calls.h"
#include "server/auth/page_peer.h"

namespace bitwright::server {
namespace {

// A download may be as slow as its reader.
constexpr TransferPolicy kWebTransfers{kClientRetries, absl::Hours(24)};

// Call<v1::Job>(v1::JobService::NewStub(channel), &v1::JobService::Stub::GetJob, request, cancel)
template <typename Response, typename Stub, typename Method, typename Request>
absl::StatusOr<Response> Call(const std::unique_ptr<Stub>& stub, Method method, const Request& request,
                              const CancelToken& cancel) {
  Attempt attempt(cancel, kUnaryLimit);
  Response response;
  const absl::Status status = FromAttempt((stub.get()->*method)(attempt.context(), request, &response), cancel);
  if (!status.ok()) return status;
  return response;
}

template <typename Request>
Request Named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

using Jobs = v1::JobService;
using Models = v1::ModelService;
using Recipes = v1::RecipeService;

}  // namespace

const std::shared_ptr<grpc::Channel>& Gateway::channel() const {
  if (channel_ == nullptr) {
    std::map<std::string, std::string> metadata = {{kPeerOfPage, "web:" + peer_}};
    if (!token_.empty()) metadata["authorization"] = "Bearer " + token_;
    channel_ = open_(metadata);
  }
  return channel_;
}

absl::StatusOr<v1::Capabilities> Gateway::GetCapabilities() const {
  using Service = v1::CapabilityService;
  return Call<v1::Capabilities>(Service::NewStub(channel()), &Service::Stub::GetCapabilities,
                                v1::GetCapabilitiesRequest(), cancel_);
}
absl::StatusOr<v1::ListJobsResponse> Gateway::ListJobs(const v1::ListJobsRequest& request) const {
  return Call<v1::ListJobsResponse>(Jobs::NewStub(channel()), &Jobs::Stub::ListJobs, request, cancel_);
}
absl::StatusOr<v1::Job> Gateway::GetJob(const std::string& name) const {
  return Call<v1::Job>(Jobs::NewStub(channel()), &Jobs::Stub::GetJob, Named<v1::GetJobRequest>(name), cancel_);
}
absl::StatusOr<v1::Job> Gateway::CreateJob(const v1::CreateJobRequest& request) const {
  return Call<v1::Job>(Jobs::NewStub(channel()), &Jobs::Stub::CreateJob, request, cancel_);
}
absl::StatusOr<v1::Job> Gateway::CancelJob(const std::string& name) const {
  return Call<v1::Job>(Jobs::NewStub(channel()), &Jobs::Stub::CancelJob, Named<v1::CancelJobRequest>(name), cancel_);
}
absl::StatusOr<v1::Job> Gateway::RetryJob(const v1::RetryJobRequest& request) const {
  return Call<v1::Job>(Jobs::NewStub(channel()), &Jobs::Stub::RetryJob, request, cancel_);
}
absl::StatusOr<v1::Report> Gateway::GetReport(const std::string& job, int goal) const {
  auto request = Named<v1::GetReportRequest>(job);
  request.set_goal(goal);
  return Call<v1::Report>(Jobs::NewStub(channel()), &Jobs::Stub::GetReport, request, cancel_);
}
absl::StatusOr<v1::ListTasksResponse> Gateway::ListTasks(const v1::ListTasksRequest& request) const {
  return Call<v1::ListTasksResponse>(Jobs::NewStub(channel()), &Jobs::Stub::ListTasks, request, cancel_);
}
absl::StatusOr<v1::ListModelsResponse> Gateway::ListModels(const v1::ListModelsRequest& request) const {
  return Call<v1::ListModelsResponse>(Models::NewStub(channel()), &Models::Stub::ListModels, request, cancel_);
}
absl::StatusOr<v1::Model> Gateway::GetModel(const std::string& name) const {
  return Call<v1::Model>(Models::NewStub(channel()), &Models::Stub::GetModel, Named<v1::GetModelRequest>(name),
                         cancel_);
}
absl::StatusOr<v1::ListRecipesResponse> Gateway::ListRecipes() const {
  return Call<v1::ListRecipesResponse>(Recipes::NewStub(channel()), &Recipes::Stub::ListRecipes,
                                       v1::ListRecipesRequest(), cancel_);
}
absl::StatusOr<v1::Recipe> Gateway::GetRecipe(const std::string& name) const {
  return Call<v1::Recipe>(Recipes::NewStub(channel()), &Recipes::Stub::GetRecipe, Named<v1::GetRecipeRequest>(name),
                          cancel_);
}
absl::StatusOr<v1::ListWorkersResponse> Gateway::ListWorkers(const v1::ListWorkersRequest& request) const {
  using Service = v1::WorkerService;
  return Call<v1::ListWorkersResponse>(Service::NewStub(channel()), &Service::Stub::ListWorkers, request, cancel_);
}

TransferContext Gateway::transfers() const { return {channel(), clock_, cancel_, kWebTransfers}; }

}  // namespace bitwright::server
