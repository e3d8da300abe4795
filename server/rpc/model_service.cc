#include "bitwright/v1/models.grpc.pb.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/services.h"

namespace bitwright::server {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

class ModelService final : public v1::ModelService::CallbackService {
 public:
  ModelService(RpcEnvironment& environment, ModelResources& models) : environment_(environment), models_(models) {}

  ServerUnaryReactor* CreateModel(CallbackServerContext* context, const v1::CreateModelRequest* request,
                                  v1::Model* response) override {
    return RunUnary(environment_, context, "CreateModel",
                    [=, this] { return Fill(response, models_.Create(*request)); });
  }

  ServerUnaryReactor* GetModel(CallbackServerContext* context, const v1::GetModelRequest* request,
                               v1::Model* response) override {
    return RunUnary(environment_, context, "GetModel",
                    [=, this] { return Fill(response, models_.Get(request->name())); });
  }

  ServerUnaryReactor* ListModels(CallbackServerContext* context, const v1::ListModelsRequest* request,
                                 v1::ListModelsResponse* response) override {
    return RunUnary(environment_, context, "ListModels", [=, this] { return Fill(response, models_.List(*request)); });
  }

  ServerUnaryReactor* DeleteModel(CallbackServerContext* context, const v1::DeleteModelRequest* request,
                                  v1::DeleteModelResponse*) override {
    return RunUnary(environment_, context, "DeleteModel", [=, this] { return models_.Delete(request->name()); });
  }

 private:
  RpcEnvironment& environment_;
  ModelResources& models_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeModelService(RpcEnvironment& environment, ModelResources& models) {
  return std::make_unique<ModelService>(environment, models);
}

}  // namespace bitwright::server
