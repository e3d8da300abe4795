#include "client/api/client.h"

#include <algorithm>
#include <limits>

#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"

namespace bitwright::client {
namespace {

// Pages of a list until `most` items are there or no more come.
template <typename Item, typename Request, typename Fetch>
absl::StatusOr<std::vector<Item>> Collect(Request request, int most, const Fetch& fetch) {
  std::vector<Item> items;
  request.set_page_size(std::min<int>(most, limits::kMaxPageSize));
  do {
    auto page = fetch(request);
    if (!page.ok()) return page.status();
    for (auto& item : page->page) {
      if (static_cast<int>(items.size()) < most) items.push_back(std::move(item));
    }
    request.set_page_token(page->next);
  } while (!request.page_token().empty() && static_cast<int>(items.size()) < most);
  return items;
}

template <typename Item>
struct Page {
  std::vector<Item> page;
  std::string next;
};

template <typename Item, typename Repeated>
Page<Item> MakePage(const Repeated& items, const std::string& next) {
  return {{items.begin(), items.end()}, next};
}

constexpr int kAll = std::numeric_limits<int>::max();

template <typename T>
absl::Status StatusOnly(const absl::StatusOr<T>& result) {
  return result.status();
}

}  // namespace

Client::Client(std::shared_ptr<Connection> connection, std::shared_ptr<CancelToken> cancel)
    : connection_(std::move(connection)),
      cancel_(cancel != nullptr ? std::move(cancel) : std::make_shared<CancelToken>()) {}

absl::StatusOr<Client> Client::ConnectTo(ConnectionOptions options) {
  if (options.cancel == nullptr) options.cancel = std::make_shared<CancelToken>();
  auto cancel = options.cancel;
  ABSL_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Connect(std::move(options)));
  return Client(std::move(connection), std::move(cancel));
}

absl::StatusOr<v1::Model> Client::GetModel(const std::string& name) {
  v1::GetModelRequest request;
  request.set_name(name);
  return connection_->GetModel(request);
}

absl::StatusOr<std::vector<v1::Model>> Client::ListModels(int most, const std::string& filter) {
  v1::ListModelsRequest first;
  first.set_filter(filter);
  return Collect<v1::Model>(first, most, [&](const v1::ListModelsRequest& request) -> absl::StatusOr<Page<v1::Model>> {
    ABSL_ASSIGN_OR_RETURN(const auto page, connection_->ListModels(request));
    return MakePage<v1::Model>(page.models(), page.next_page_token());
  });
}

absl::Status Client::DeleteModel(const std::string& name, const std::string& etag) {
  v1::DeleteModelRequest request;
  request.set_name(name);
  request.set_etag(etag);
  return StatusOnly(connection_->DeleteModel(request));
}

absl::StatusOr<v1::Job> Client::CreateJob(const v1::JobSpec& spec, const std::string& request_id) {
  v1::CreateJobRequest request;
  *request.mutable_spec() = spec;
  request.set_request_id(request_id.empty() ? RandomId(32) : request_id);
  return connection_->CreateJob(request);
}

absl::StatusOr<v1::Job> Client::ValidateJob(const v1::JobSpec& spec) {
  v1::CreateJobRequest request;
  *request.mutable_spec() = spec;
  request.set_validate_only(true);
  return connection_->CreateJob(request);
}

absl::StatusOr<v1::Job> Client::GetJob(const std::string& name) {
  v1::GetJobRequest request;
  request.set_name(name);
  return connection_->GetJob(request);
}

absl::StatusOr<std::vector<v1::Job>> Client::ListJobs(const v1::ListJobsRequest& which, int most) {
  return Collect<v1::Job>(which, most, [&](const v1::ListJobsRequest& request) -> absl::StatusOr<Page<v1::Job>> {
    ABSL_ASSIGN_OR_RETURN(const auto page, connection_->ListJobs(request));
    return MakePage<v1::Job>(page.jobs(), page.next_page_token());
  });
}

absl::StatusOr<v1::Job> Client::RetryJob(const std::string& name, const std::string& etag) {
  v1::RetryJobRequest request;
  request.set_name(name);
  request.set_etag(etag);
  request.set_request_id(RandomId(32));
  return connection_->RetryJob(request);
}

absl::StatusOr<v1::Job> Client::CancelJob(const std::string& name, const std::string& etag) {
  v1::CancelJobRequest request;
  request.set_name(name);
  request.set_etag(etag);
  return connection_->CancelJob(request);
}

absl::Status Client::DeleteJob(const std::string& name, const std::string& etag) {
  v1::DeleteJobRequest request;
  request.set_name(name);
  request.set_etag(etag);
  return StatusOnly(connection_->DeleteJob(request));
}

absl::StatusOr<v1::Job> Client::WatchJob(const std::string& name, const std::function<void(const v1::Job&)>& on_job) {
  return connection_->WatchJob(name, on_job);
}

absl::StatusOr<v1::Report> Client::GetReport(const std::string& job, int goal) {
  v1::GetReportRequest request;
  request.set_name(job);
  request.set_goal(goal);
  return connection_->GetReport(request);
}

absl::StatusOr<std::vector<v1::Task>> Client::ListTasks(const std::string& parent) {
  v1::ListTasksRequest first;
  first.set_parent(parent);
  return Collect<v1::Task>(first, kAll, [&](const v1::ListTasksRequest& request) -> absl::StatusOr<Page<v1::Task>> {
    ABSL_ASSIGN_OR_RETURN(const auto page, connection_->ListTasks(request));
    return MakePage<v1::Task>(page.tasks(), page.next_page_token());
  });
}

absl::StatusOr<std::vector<v1::Recipe>> Client::ListRecipes() {
  ABSL_ASSIGN_OR_RETURN(const auto response, connection_->ListRecipes({}));
  return std::vector<v1::Recipe>(response.recipes().begin(), response.recipes().end());
}

absl::StatusOr<v1::Recipe> Client::GetRecipe(const std::string& name) {
  v1::GetRecipeRequest request;
  request.set_name(name);
  return connection_->GetRecipe(request);
}

absl::StatusOr<std::vector<v1::Worker>> Client::ListWorkers() {
  return Collect<v1::Worker>(v1::ListWorkersRequest(), kAll,
                             [&](const v1::ListWorkersRequest& request) -> absl::StatusOr<Page<v1::Worker>> {
                               ABSL_ASSIGN_OR_RETURN(const auto page, connection_->ListWorkers(request));
                               return MakePage<v1::Worker>(page.workers(), page.next_page_token());
                             });
}

absl::StatusOr<std::vector<v1::Tenant>> Client::ListTenants(int most) {
  return Collect<v1::Tenant>(v1::ListTenantsRequest(), most,
                             [&](const v1::ListTenantsRequest& request) -> absl::StatusOr<Page<v1::Tenant>> {
                               ABSL_ASSIGN_OR_RETURN(const auto page, connection_->ListTenants(request));
                               return MakePage<v1::Tenant>(page.tenants(), page.next_page_token());
                             });
}

absl::StatusOr<v1::Capabilities> Client::GetCapabilities() { return connection_->GetCapabilities({}); }

absl::Status Client::WaitUntilServing(absl::Duration patience) { return connection_->WaitUntilServing(patience); }

}  // namespace bitwright::client
