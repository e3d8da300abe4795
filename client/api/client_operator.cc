#include "bitwright/v1/operator.pb.h"
#include "client/api/client.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {

absl::StatusOr<v1::Worker> Client::CordonWorker(const std::string& name) {
  v1::CordonWorkerRequest request;
  request.set_name(name);
  return connection_->CordonWorker(request);
}

absl::StatusOr<v1::Worker> Client::UncordonWorker(const std::string& name) {
  v1::UncordonWorkerRequest request;
  request.set_name(name);
  return connection_->UncordonWorker(request);
}

absl::StatusOr<v1::Worker> Client::DrainWorker(const std::string& name) {
  v1::DrainWorkerRequest request;
  request.set_name(name);
  return connection_->DrainWorker(request);
}

absl::StatusOr<v1::Task> Client::RequeueTask(const std::string& name) {
  v1::RequeueTaskRequest request;
  request.set_name(name);
  return connection_->RequeueTask(request);
}

absl::StatusOr<v1::CacheEntry> Client::GetCacheEntry(const std::string& digest, const std::string& tenant) {
  v1::GetCacheEntryRequest request;
  request.set_digest(digest);
  request.set_tenant(tenant);
  return connection_->GetCacheEntry(request);
}

absl::Status Client::DeleteCacheEntry(const std::string& digest, const std::string& tenant) {
  v1::DeleteCacheEntryRequest request;
  request.set_digest(digest);
  request.set_tenant(tenant);
  return connection_->DeleteCacheEntry(request).status();
}

absl::StatusOr<v1::Tenant> Client::GetTenant(const std::string& name) {
  v1::GetTenantRequest request;
  request.set_name(name);
  return connection_->GetTenant(request);
}

absl::StatusOr<v1::Tenant> Client::UpdateTenantLimits(const std::string& name, const v1::TenantLimits& limits) {
  v1::UpdateTenantLimitsRequest request;
  request.set_name(name);
  *request.mutable_limits() = limits;
  return connection_->UpdateTenantLimits(request);
}

}  // namespace bitwright::client
