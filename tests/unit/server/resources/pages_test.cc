#include "server/resources/pages.h"

#include <string>
#include <vector>

#include "proto/contract/limits.h"
#include "server/store/sqlite_store.h"
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

TEST(Pages, OfNamesLeadBackToo) {
  ASSERT_OK_AND_ASSIGN(const NamedPage page, ParseNamedPage(10, NamedPageToken("evaluate[1.5]", "q"), "q"));
  EXPECT_EQ(page.beyond, "evaluate[1.5]");
  EXPECT_EQ(page.size, 10);
  EXPECT_EQ(ParseNamedPage(0, "", "q")->beyond, "");
  EXPECT_THAT(ParseNamedPage(0, NamedPageToken("x", "q"), "other"), HasReason("PAGE_TOKEN_INVALID"));
  EXPECT_THAT(ParseNamedPage(0, NamedPageToken("", "q"), "q"), HasReason("PAGE_TOKEN_INVALID"));
  EXPECT_THAT(ParsePage(0, NamedPageToken("x", "q"), "q"), HasReason("PAGE_TOKEN_INVALID")) << "no number";
  EXPECT_THAT(ParseNamedPage(-1, "", "q"), HasReason("PAGE_SIZE_INVALID"));
}

TEST(Pages, OfLargeRowsHoldAsManyAsAMessageTakes) {
  const auto store = *OpenSqliteStore(":memory:");
  for (int i = 0; i < 5; ++i) {
    BITWRIGHT_ASSERT_OK(store->Write([&](Transaction& tx) {
      return tx.PutModel(
          {.name = "models/" + std::to_string(i), .body = std::string(i == 2 ? 3 << 20 : 900 << 10, 'b')});
    }));
  }
  std::vector<size_t> sizes;
  RowQuery query{.oldest_first = true};
  for (bool more = true; more;) {
    ASSERT_OK_AND_ASSIGN(const RowPage<ModelRow> page,
                         ReadPage<ModelRow>(
                             *store, query, 100, true,
                             [](Snapshot& snapshot, const RowQuery& rows) { return snapshot.ListModels(rows); },
                             [](const ModelRow&) { return true; }));
    sizes.push_back(page.rows.size());
    query.beyond = page.beyond;
    more = page.beyond.has_value();
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{2, 1, 2})) << "and one that is larger than a page alone";
}

}  // namespace
}  // namespace bitwright::server
