#include "client/api/recipe_file.h"

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

TEST(RecipeFile, ReadsWhatRecipeShowPrints) {
  ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, ReadRecipeFile(SourcePath("proto/recipes/mixed-gptq.textproto")));
  EXPECT_EQ(recipe.name(), "mixed-gptq");
  TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "r.textproto", RecipeText(recipe)));
  ASSERT_OK_AND_ASSIGN(const v1::Recipe again, ReadRecipeFile(dir / "r.textproto"));
  EXPECT_EQ(again.SerializeAsString(), recipe.SerializeAsString());
}

TEST(RecipeFile, NamesLineAndColumnOfAFault) {
  TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / "r.textproto", "name: \"x\"\nroundings { }\n"));
  const auto recipe = ReadRecipeFile(dir / "r.textproto");
  EXPECT_THAT(recipe, HasReason("RECIPE_INVALID"));
  EXPECT_NE(recipe.status().message().find("line 2, column"), absl::string_view::npos) << recipe.status();
  EXPECT_THAT(ReadRecipeFile(dir / "none.textproto"), HasReason("FILE_UNREADABLE"));
}

}  // namespace
}  // namespace bitwright::client
