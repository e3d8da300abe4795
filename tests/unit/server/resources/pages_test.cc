#include "server/resources/pages.h"

#include "proto/contract/limits.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

TEST(Pages, ATokenLeadsBackToItsPlace) {
  ASSERT_OK_AND_ASSIGN(const Page page, ParsePage(10, PageToken(77, "q"), "q"));
  EXPECT_EQ(page.beyond, 77);
  EXPECT_EQ(page.size, 10);
}

TEST(Pages, SizesAreDefaultedCutOrRefused) {
  EXPECT_EQ(ParsePage(0, "", "q")->size, limits::kDefaultPageSize);
  EXPECT_EQ(ParsePage(1 << 20, "", "q")->size, limits::kMaxPageSize);
  EXPECT_THAT(ParsePage(-1, "", "q"), HasReason("PAGE_SIZE_INVALID"));
}

TEST(Pages, ForeignTokensAreRefused) {
  const std::string token = PageToken(77, "q");
  EXPECT_THAT(ParsePage(0, token, "other"), HasReason("PAGE_TOKEN_INVALID"));
  EXPECT_THAT(ParsePage(0, "x", "q"), HasReason("PAGE_TOKEN_INVALID"));
  EXPECT_THAT(ParsePage(0, "!!!", "q"), HasReason("PAGE_TOKEN_INVALID"));
  EXPECT_THAT(ParsePage(0, token.substr(1), "q"), HasReason("PAGE_TOKEN_INVALID"));
}

}  // namespace
}  // namespace bitwright::server
