#include "bitwright/v1/recipes.grpc.pb.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/services.h"

namespace bitwright::server {
namespace {

using grpc::ByteBuffer;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using RawRecipeService = v1::RecipeService::WithRawCallbackMethod_ListRecipes<
    v1::RecipeService::WithRawCallbackMethod_GetRecipe<v1::RecipeService::Service>>;

class RecipeService final : public RawRecipeService {
 public:
  RecipeService(RpcEnvironment& environment, const RecipeResources& recipes)
      : environment_(environment), recipes_(recipes) {}

  ServerUnaryReactor* ListRecipes(CallbackServerContext* context, const ByteBuffer* request,
                                  ByteBuffer* response) override {
    return RunUnary<v1::ListRecipesRequest, v1::ListRecipesResponse>(
        environment_, context, kListRecipes, request, response, [this](const CallContext&, const auto&, auto& out) {
          for (const v1::Recipe& recipe : recipes_.recipes()) *out.add_recipes() = recipe;
          return absl::OkStatus();
        });
  }

  ServerUnaryReactor* GetRecipe(CallbackServerContext* context, const ByteBuffer* request,
                                ByteBuffer* response) override {
    return RunUnary<v1::GetRecipeRequest, v1::Recipe>(
        environment_, context, kGetRecipe, request, response,
        [this](const CallContext&, const auto& in, auto& out) { return Fill(out, recipes_.Get(in.name())); });
  }

 private:
  RpcEnvironment& environment_;
  const RecipeResources& recipes_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeRecipeService(RpcEnvironment& environment, const RecipeResources& recipes) {
  return std::make_unique<RecipeService>(environment, recipes);
}

}  // namespace bitwright::server
