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
            v1::OperatorService::WithRawCallbackMethod_DeleteCacheEntry<v1::OperatorService::Service>>>>>>;

class OperatorService final : public RawOperatorService {
 public:
  OperatorService(RpcEnvironment& environment, WorkerResources& workers, TaskResources& tasks, CacheEntries& cache)
      : environment_(environment), workers_(workers), tasks_(tasks), cache_(cache) {}

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

 private:
  RpcEnvironment& environment_;
  WorkerResources& workers_;
  TaskResources& tasks_;
  CacheEntries& cache_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeOperatorService(RpcEnvironment& environment, WorkerResources& workers,
                                                   TaskResources& tasks, CacheEntries& cache) {
  return std::make_unique<OperatorService>(environment, workers, tasks, cache);
}

}  // namespace bitwright::server
