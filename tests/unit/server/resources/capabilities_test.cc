#include "server/resources/capabilities.h"

#include <algorithm>

#include "proto/contract/architectures.h"
#include "proto/contract/limits.h"
#include "proto/recipes/shipped_recipes.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

TEST(Capabilities, SayWhatTheServerKnows) {
  ASSERT_OK_AND_ASSIGN(const RecipeResources recipes, RecipeResources::Parse(ShippedRecipes()));
  const v1::Capabilities all = MakeCapabilities("1.2.3", recipes);
  EXPECT_EQ(all.version(), "1.2.3");
  EXPECT_EQ(all.api_version(), "v1");
  ASSERT_EQ(all.architectures_size(), static_cast<int>(kArchitectures.size()));
  EXPECT_EQ(all.architectures(0).architecture(), kArchitectures[0].architecture);
  ASSERT_EQ(all.targets_size(), 3);
  EXPECT_EQ(all.targets(0).name(), "compressed-tensors");
  EXPECT_EQ(all.targets(0).formats_size(), 7 * 4 + 2 * 3 + 1 + 7 + 1);
  EXPECT_GE(all.targets(0).consumers_size(), 1);
  EXPECT_EQ(all.targets(1).name(), "gguf");
  EXPECT_EQ(all.data_kinds_size(), 3);
  for (const std::string& recipe : all.recipes()) BITWRIGHT_EXPECT_OK(recipes.Get(recipe));
  EXPECT_TRUE(std::is_sorted(all.limits().begin(), all.limits().end(),
                             [](const auto& a, const auto& b) { return a.name() < b.name(); }));
  const auto name = std::find_if(all.limits().begin(), all.limits().end(),
                                 [](const auto& limit) { return limit.name() == "max_display_name_bytes"; });
  ASSERT_NE(name, all.limits().end());
  EXPECT_EQ(name->value(), limits::kMaxDisplayNameBytes);
  EXPECT_EQ(name->unit(), "bytes");
}

}  // namespace
}  // namespace bitwright::server
