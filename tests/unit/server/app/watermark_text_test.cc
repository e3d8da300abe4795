#include "server/app/watermark_text.h"

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

TEST(WatermarkText, IsReadAndWritten) {
  for (const char* text : {"5%,2GiB", "1%,512MiB", "0.5%", "3TiB", "1000", "0", "16KiB"}) {
    ASSERT_OK_AND_ASSIGN(const Watermark mark, ParseWatermark(text));
    EXPECT_EQ(WatermarkText(mark), text);
  }
  EXPECT_EQ(ParseWatermark("2GiB,10%")->BytesOf(int64_t{1} << 30), (int64_t{1} << 30) / 10);
  EXPECT_EQ(ParseWatermark("1.5KiB")->bytes, 1536);
  EXPECT_EQ(ParseWatermark("0")->BytesOf(1000), 0);
}

TEST(WatermarkText, NonsenseIsRefused) {
  for (const char* text : {"", "x", "101%", "-1", "-1%", "5%,6%", "1,2", "2GB", "1e30", ",", "nan"}) {
    EXPECT_THAT(ParseWatermark(text), HasReason("WATERMARK_INVALID")) << text;
  }
}

}  // namespace
}  // namespace bitwright::server
