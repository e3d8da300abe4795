#include "server/blobs/upload_table.h"

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

UploadName Named(const std::string& uuid, int64_t bytes) { return {uuid, {std::string(64, 'a'), bytes}}; }

TEST(UploadTable, AFileHasOneWriterAtATime) {
  UploadTable table({});
  BITWRIGHT_EXPECT_OK(table.Open("f", Named("f", 10)));
  EXPECT_THAT(table.Open("f", Named("f", 10)), HasReason("UPLOAD_BUSY"));
  table.Close("f", 3);
  BITWRIGHT_EXPECT_OK(table.Open("f", Named("f", 10)));
}

TEST(UploadTable, BoundsOpenUploads) {
  UploadTable table({.most_open = 2});
  BITWRIGHT_EXPECT_OK(table.Open("a", Named("a", 1)));
  BITWRIGHT_EXPECT_OK(table.Open("b", Named("b", 1)));
  const absl::Status full = table.Open("c", Named("c", 1));
  EXPECT_THAT(full, HasReason("UPLOADS_FULL"));
  EXPECT_THAT(std::string(full.message()), ::testing::HasSubstr("open uploads up to its limit of 2; try again"));
  table.Close("a", 1);
  BITWRIGHT_EXPECT_OK(table.Open("c", Named("c", 1)));
}

TEST(UploadTable, CountsOpenUploadsWithWhatTheyDeclareAndOthersWithWhatTheyLeft) {
  UploadTable table({.most_bytes = 100});
  BITWRIGHT_EXPECT_OK(table.Open("a", Named("a", 90)));
  EXPECT_THAT(table.Open("b", Named("b", 20)), HasReason("UPLOADS_FULL"));
  table.Close("a", 70);
  BITWRIGHT_EXPECT_OK(table.Open("b", Named("b", 20)));
  EXPECT_THAT(table.Open("a", Named("a", 90)), HasReason("UPLOADS_FULL"));
  table.Close("b", 0);
  BITWRIGHT_EXPECT_OK(table.Open("a", Named("a", 90))) << "its own bytes do not count twice";
  EXPECT_THAT(table.Open("c", Named("c", 101)), HasReason("LIMIT_EXCEEDED")) << "never";
}

TEST(UploadTable, BoundsWhatIsLeftBehindAndForgetsWhatIsRemoved) {
  UploadTable table({.most_partial = 1});
  table.Found("old", 5);
  EXPECT_THAT(table.Open("new", Named("new", 1)), HasReason("UPLOADS_FULL"));
  int removed = 0;
  table.Remove("old", [&] { ++removed; });
  BITWRIGHT_EXPECT_OK(table.Open("new", Named("new", 1)));
  table.Remove("new", [&] { ++removed; });
  EXPECT_EQ(removed, 1) << "not while it is written";
}

}  // namespace
}  // namespace bitwright::server
