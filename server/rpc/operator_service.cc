#include "bitwright/v1/operator.grpc.pb.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/services.h"

namespace bitwright::server {
namespace {

using grpc::ByteBuffer;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using RawOperatorService = v1::OperatorService::WithRawCallbackMethod_CordonWorker<
    v1::OperatorService::WithRawCallbackMethod_UncordonWorker<v1::OperatorService::WithRawCallbackMethod_DrainWorker<
        v1::OperatorService::WithRawCallbackMethod_RequeueTask<v1::OperatorService::WithRawCallbackMethod_GetCacheEntry<
            v1::OperatorService::WithRawCallbackMethod_DeleteCacheEntry<
                v1::OperatorService::WithRawCallbackMethod_GetTenant<
                    v1::OperatorService::WithRawCallbackMethod_ListTenants<
                        v1::OperatorService::WithRawCallbackMethod_UpdateTenantLimits<
                            v1::OperatorService::Service>>>>>>>>>;

v1::Tenant ToProto(const Tenant& tenant) {
  v1::Tenant proto;
  proto.set_name(tenant.name);
  proto.mutable_limits()->set_bytes(tenant.limits.bytes);
  proto.mutable_limits()->set_queued_jobs(tenant.limits.queued_jobs);
  proto.mutable_limits()->set_running_jobs(tenant.limits.running_jobs);
  proto.set_own_limits(tenant.own_limits);
  proto.mutable_usage()->set_bytes(tenant.usage.bytes);
  proto.mutable_usage()->set_queued_jobs(tenant.usage.queued_jobs);
  proto.mutable_usage()->set_running_jobs(tenant.usage.running_jobs);
  return proto;
}

TenantLimits FromProto(const v1::TenantLimits& limits) {
  return {.bytes = limits.bytes(), .queued_jobs = limits.queued_jobs(), .running_jobs = limits.running_jobs()};
}

class OperatorService final : public RawOperatorService {
 public:
  OperatorService(RpcEnvironment& environment, const OperatorParts& parts)
      : environment_(environment),
        workers_(parts.workers),
        tasks_(parts.tasks),
        cache_(parts.cache),
        tenants_(parts.tenants) {}

  ServerUnaryReactor* CordonWorker(CallbackServerContext* context, const ByteBuffer* request,
                                   ByteBuffer* response) override {
    return RunUnary<v1::CordonWorkerRequest, v1::Worker>(environment_, context, kCordonWorker, request, response,
                                                         [this](const CallContext& call, const auto& in, auto& out) {
                                                           return Fill(out, workers_.Cordon(call, in.name()));
                                                         });
  }

  ServerUnaryReactor* UncordonWorker(CallbackServerContext* context, const ByteBuffer* request,
                                     ByteBuffer* response) override {
    return RunUnary<v1::UncordonWorkerRequest, v1::Worker>(environment_, context, kUncordonWorker, request, response,
                                                           [this](const CallContext& call, const auto& in, auto& out) {
                                                             return Fill(out, workers_.Uncordon(call, in.name()));
                                                           });
  }

  ServerUnaryReactor* DrainWorker(CallbackServerContext* context, const ByteBuffer* request,
                                  ByteBuffer* response) override {
    return RunUnary<v1::DrainWorkerRequest, v1::Worker>(environment_, context, kDrainWorker, request, response,
                                                        [this](const CallContext& call, const auto& in, auto& out) {
                                                          return Fill(out, workers_.Drain(call, in.name()));
                                                        });
  }

  ServerUnaryReactor* RequeueTask(CallbackServerContext* context, const ByteBuffer* request,
                                  ByteBuffer* response) override {
    return RunUnary<v1::RequeueTaskRequest, v1::Task>(environment_, context, kRequeueTask, request, response,
                                                      [this](const CallContext& call, const auto& in, auto& out) {
                                                        return Fill(out, tasks_.Requeue(call, in.name()));
                                                      });
  }

  ServerUnaryReactor* GetCacheEntry(CallbackServerContext* context, const ByteBuffer* request,
                                    ByteBuffer* response) override {
    return RunUnary<v1::GetCacheEntryRequest, v1::CacheEntry>(
        environment_, context, kGetCacheEntry, request, response,
        [this](const CallContext& call, const auto& in, auto& out) {
          return Fill(out, cache_.Get(call, in.digest(), in.tenant()));
        });
  }

  ServerUnaryReactor* DeleteCacheEntry(CallbackServerContext* context, const ByteBuffer* request,
                                       ByteBuffer* response) override {
    return RunUnary<v1::DeleteCacheEntryRequest, v1::DeleteCacheEntryResponse>(
        environment_, context, kDeleteCacheEntry, request, response,
        [this](const CallContext& call, const auto& in, auto&) {
          return cache_.Delete(call, in.digest(), in.tenant());
        });
  }

  ServerUnaryReactor* GetTenant(CallbackServerContext* context, const ByteBuffer* request,
                                ByteBuffer* response) override {
    return RunUnary<v1::GetTenantRequest, v1::Tenant>(
        environment_, context, kGetTenant, request, response,
        [this](const CallContext& call, const auto& in, auto& out) -> absl::Status {
          ABSL_ASSIGN_OR_RETURN(const Tenant tenant, tenants_.Get(call, in.name()));
          out = ToProto(tenant);
          return absl::OkStatus();
        });
  }

  ServerUnaryReactor* ListTenants(CallbackServerContext* context, const ByteBuffer* request,
                                  ByteBuffer* response) override {
    return RunUnary<v1::ListTenantsRequest, v1::ListTenantsResponse>(
        environment_, context, kListTenants, request, response,
        [this](const CallContext& call, const auto& in, auto& out) -> absl::Status {
          ABSL_ASSIGN_OR_RETURN(const TenantPage page, tenants_.List(call, in.page_size(), in.page_token()));
          for (const Tenant& tenant : page.tenants) *out.add_tenants() = ToProto(tenant);
          out.set_next_page_token(page.next_page_token);
          return absl::OkStatus();
        });
  }

  ServerUnaryReactor* UpdateTenantLimits(CallbackServerContext* context, const ByteBuffer* request,
                                         ByteBuffer* response) override {
    return RunUnary<v1::UpdateTenantLimitsRequest, v1::Tenant>(
        environment_, context, kUpdateTenantLimits, request, response,
        [this](const CallContext& call, const auto& in, auto& out) -> absl::Status {
          ABSL_ASSIGN_OR_RETURN(const Tenant tenant, tenants_.SetLimits(call, in.name(), FromProto(in.limits())));
          out = ToProto(tenant);
          return absl::OkStatus();
        });
  }

 private:
  RpcEnvironment& environment_;
  WorkerResources& workers_;
  TaskResources& tasks_;
  CacheEntries& cache_;
  TenantResources& tenants_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeOperatorService(RpcEnvironment& environment, const OperatorParts& parts) {
  return std::make_unique<OperatorService>(environment, parts);
}

}  // namespace bitwright::server
