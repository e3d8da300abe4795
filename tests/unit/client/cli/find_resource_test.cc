#include "client/cli/find_resource.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake/fake_service.h"

namespace bitwright::client {
namespace {

class FindResourceTest : public ::testing::Test {
 protected:
  FindResourceTest() : client_(*Client::ConnectTo({.address = service_.address()})) {
    for (const auto& [name, display_name] :
         {std::pair{"jobs/3f00aa", "llama"}, {"jobs/3f00ab", "llama"}, {"jobs/77aa11", "org/qwen \"x\""}}) {
      v1::Job job;
      job.set_name(name);
      job.mutable_spec()->set_display_name(display_name);
      service_.plan.listed_jobs.push_back(job);
    }
  }
  std::string Found(const std::string& typed) {
    const auto job = FindJob(client_, typed);
    return job.ok() ? job->name() : ErrorReason(job.status());
  }

  FakeService service_;
  Client client_;
};

TEST_F(FindResourceTest, ByBeginningOrDisplayName) {
  EXPECT_EQ(Found("77aa"), "jobs/77aa11");
  EXPECT_EQ(Found("jobs/77aa"), "jobs/77aa11");
  EXPECT_EQ(service_.seen.filters.front(), "name = \"jobs/77aa*\"");
  EXPECT_EQ(Found("org/qwen \"x\""), "jobs/77aa11");
  EXPECT_EQ(service_.seen.filters.back(), "display_name = \"org/qwen \\\"x\\\"\"");
  EXPECT_EQ(Found("77a"), "JOB_NOT_FOUND") << "three letters are too few";
  EXPECT_EQ(Found("3f00aa"), "jobs/3f00aa");
}

TEST_F(FindResourceTest, SeveralAreListed) {
  const auto job = FindJob(client_, "3f00");
  EXPECT_THAT(job, HasReason("NAME_AMBIGUOUS"));
  EXPECT_NE(job.status().message().find("jobs/3f00aa, jobs/3f00ab"), absl::string_view::npos) << job.status();
  EXPECT_EQ(Found("llama"), "NAME_AMBIGUOUS");
}

TEST_F(FindResourceTest, RecipesTakeAllTheirNames) {
  for (const char* typed : {"mixed-gptq", "recipes/mixed-gptq"}) {
    ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, FindRecipe(client_, typed));
    EXPECT_EQ(recipe.name(), "recipes/mixed-gptq");
  }
  EXPECT_EQ(FindRecipe(client_, "unif")->name(), "recipes/uniform-gptq");
  const auto unknown = FindRecipe(client_, "mixed-gtpq");
  EXPECT_THAT(unknown, HasReason("RECIPE_NOT_FOUND"));
  EXPECT_NE(unknown.status().message().find("did you mean 'mixed-gptq'"), absl::string_view::npos) << unknown.status();
}

TEST_F(FindResourceTest, ModelsLikewise) {
  v1::Model model;
  model.set_name("models/abcdef");
  model.set_display_name("qwen");
  service_.plan.listed_models = {model};
  const auto found = FindModel(client_, "qwen");
  // The fake service lists it but does not have it: the whole model was asked for by its full name.
  EXPECT_THAT(found, HasReason("MODEL_NOT_FOUND"));
  EXPECT_NE(found.status().message().find("models/abcdef"), absl::string_view::npos) << found.status();
}

}  // namespace
}  // namespace bitwright::client
