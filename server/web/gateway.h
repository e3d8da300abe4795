#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bitwright/v1/capabilities.pb.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/recipes.pb.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/cancel_token.h"
#include "proto/transfer/transfer_context.h"

namespace grpc {
class Channel;
}

namespace bitwright::server {

// A channel to the service in this process, each of whose calls carries this metadata.
using OpenInProcess = std::function<std::shared_ptr<grpc::Channel>(const std::map<std::string, std::string>&)>;

// The service as a page calls it: over its own interface, in this process, for one caller. So access, tenants, limits,
// checks and errors are those of every client, and no page has a second way to anything. A call is made once: who reads
// a page may load it again. For one thread.
class Gateway {
 public:
  // Where the browser is, and the token that it signed in with (empty: none). A channel is opened with the first call.
  // Clock and cancel token outlive this and the transfers.
  Gateway(OpenInProcess open, std::string peer, std::string token, const Clock& clock, const CancelToken& cancel)
      : open_(std::move(open)), peer_(std::move(peer)), token_(std::move(token)), clock_(clock), cancel_(cancel) {}
  // The same for somebody with another token.
  Gateway As(std::string token) const { return {open_, peer_, std::move(token), clock_, cancel_}; }

  absl::StatusOr<v1::Capabilities> GetCapabilities() const;
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request) const;
  absl::StatusOr<v1::Job> GetJob(const std::string& name) const;
  absl::StatusOr<v1::Job> CreateJob(const v1::CreateJobRequest& request) const;
  absl::StatusOr<v1::Job> CancelJob(const std::string& name) const;
  absl::StatusOr<v1::Job> RetryJob(const v1::RetryJobRequest& request) const;
  absl::StatusOr<v1::Report> GetReport(const std::string& job, int goal) const;
  absl::StatusOr<v1::ListTasksResponse> ListTasks(const v1::ListTasksRequest& request) const;
  absl::StatusOr<v1::ListModelsResponse> ListModels(const v1::ListModelsRequest& request) const;
  absl::StatusOr<v1::Model> GetModel(const std::string& name) const;
  absl::StatusOr<v1::ListRecipesResponse> ListRecipes() const;
  absl::StatusOr<v1::Recipe> GetRecipe(const std::string& name) const;
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers(const v1::ListWorkersRequest& request) const;

  // For WatchJob, and for the transfers of proto/transfer.
  const std::shared_ptr<grpc::Channel>& channel() const;
  TransferContext transfers() const;
  const CancelToken& cancel() const { return cancel_; }

 private:
  const OpenInProcess open_;
  const std::string peer_;
  const std::string token_;
  mutable std::shared_ptr<grpc::Channel> channel_;
  const Clock& clock_;
  const CancelToken& cancel_;
};

}  // namespace bitwright::server
