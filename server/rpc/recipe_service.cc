#include "bitwright/v1/recipes.grpc.pb.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/services.h"

namespace bitwright::server {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

class RecipeService final : public v1::RecipeService::CallbackService {
 public:
  RecipeService(RpcEnvironment& environment, const RecipeResources& recipes)
      : environment_(environment), recipes_(recipes) {}

  ServerUnaryReactor* ListRecipes(CallbackServerContext* context, const v1::ListRecipesRequest*,
                                  v1::ListRecipesResponse* response) override {
    return RunUnary(environment_, context, "ListRecipes", [=, this] {
      for (const v1::Recipe& recipe : recipes_.recipes()) *response->add_recipes() = recipe;
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* GetRecipe(CallbackServerContext* context, const v1::GetRecipeRequest* request,
                                v1::Recipe* response) override {
    return RunUnary(environment_, context, "GetRecipe",
                    [=, this] { return Fill(response, recipes_.Get(request->name())); });
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
