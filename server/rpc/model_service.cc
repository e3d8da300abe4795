#include "bitwright/v1/models.grpc.pb.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/services.h"
#include "server/rpc/watch_stream.h"

namespace bitwright::server {
namespace {

using grpc::ByteBuffer;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using RawModelService =
    v1::ModelService::WithRawCallbackMethod_CreateModel<v1::ModelService::WithRawCallbackMethod_GetModel<
        v1::ModelService::WithRawCallbackMethod_ListModels<v1::ModelService::WithRawCallbackMethod_DeleteModel<
            v1::ModelService::WithRawCallbackMethod_WatchModel<v1::ModelService::Service>>>>>;

class ModelService final : public RawModelService {
 public:
  ModelService(RpcEnvironment& environment, ModelResources& models, Scheduler& scheduler)
      : environment_(environment), models_(models), scheduler_(scheduler) {}

  ServerUnaryReactor* CreateModel(CallbackServerContext* context, const ByteBuffer* request,
                                  ByteBuffer* response) override {
    return RunUnary<v1::CreateModelRequest, v1::Model>(
        environment_, context, kCreateModel, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return Fill(out, models_.Create(call, in)); });
  }

  ServerUnaryReactor* GetModel(CallbackServerContext* context, const ByteBuffer* request,
                               ByteBuffer* response) override {
    return RunUnary<v1::GetModelRequest, v1::Model>(
        environment_, context, kGetModel, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return Fill(out, models_.Get(call, in.name())); });
  }

  ServerUnaryReactor* ListModels(CallbackServerContext* context, const ByteBuffer* request,
                                 ByteBuffer* response) override {
    return RunUnary<v1::ListModelsRequest, v1::ListModelsResponse>(
        environment_, context, kListModels, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return Fill(out, models_.List(call, in)); });
  }

  ServerUnaryReactor* DeleteModel(CallbackServerContext* context, const ByteBuffer* request,
                                  ByteBuffer* response) override {
    return RunUnary<v1::DeleteModelRequest, v1::DeleteModelResponse>(
        environment_, context, kDeleteModel, request, response,
        [this](const CallContext& call, const auto& in, auto&) { return models_.Delete(call, in.name(), in.etag()); });
  }

  grpc::ServerWriteReactor<ByteBuffer>* WatchModel(CallbackServerContext* context, const ByteBuffer* request) override {
    return StartModelWatch(environment_, context, models_, scheduler_, *request);
  }

 private:
  RpcEnvironment& environment_;
  ModelResources& models_;
  Scheduler& scheduler_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeModelService(RpcEnvironment& environment, ModelResources& models,
                                                Scheduler& scheduler) {
  return std::make_unique<ModelService>(environment, models, scheduler);
}

}  // namespace bitwright::server
