#include "workers/tokenizer/ids_lines.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<std::vector<int32_t>> Parsed(std::string_view text, int64_t window) {
  std::vector<int32_t> all;
  const absl::Status status = ParseIdLines(text, window, [&](std::span<const int32_t> ids) {
    all.insert(all.end(), ids.begin(), ids.end());
    return absl::OkStatus();
  });
  return status.ok() ? absl::StatusOr<std::vector<int32_t>>(all) : status;
}

TEST(IdLines, WindowAfterWindow) {
  ASSERT_OK_AND_ASSIGN(const auto ids, Parsed("[1,2]\n\n [ 3 , 2147483647 ]\r\n\t\n[0,0]", 2));
  EXPECT_EQ(ids, (std::vector<int32_t>{1, 2, 3, 2147483647, 0, 0}));
}

TEST(IdLines, RefusesAndNamesTheLine) {
  for (const char* line : {"1,2",
                           "[1,2",
                           "1,2]",
                           "[",
                           "]",
                           "[]",
                           "[1]",
                           "[1,2,3]",
                           "[1,2],",
                           "[1,]",
                           "[,1]",
                           "[1,,2]",
                           "[1 2]",
                           "[1,-2]",
                           "[1,2.0]",
                           "[1,1e0]",
                           "[1,+2]",
                           "[1,0x2]",
                           "[1,2147483648]",
                           "[1,99999999999999999999]",
                           "[1,\"2\"]",
                           "[1,null]",
                           "[[1,2]]",
                           "{}",
                           "[1,2][3,4]",
                           "\xef\xbb\xbf[1,2]",
                           "[1,\xff]"}) {
    const auto parsed = Parsed("[1,2]\n" + std::string(line), 2);
    EXPECT_THAT(parsed, HasReason("DATA_INVALID")) << line;
    const auto detail = GetErrorDetail(parsed.status());
    ASSERT_TRUE(detail.has_value()) << line;
    EXPECT_EQ(detail->metadata.at("line"), "2") << line;
  }
}

TEST(IdLines, EmptyFiles) {
  for (const char* text : {"", "\n", "\n\n \r\n"}) EXPECT_THAT(Parsed(text, 2), HasReason("DATA_INVALID"));
}

TEST(IdLines, ALongLineOfGarbageIsShownCut) {
  const auto parsed = Parsed("[" + std::string(1 << 20, 'x') + "]", 2);
  EXPECT_THAT(parsed, HasReason("DATA_INVALID"));
  EXPECT_LT(parsed.status().message().size(), 300u);
}

}  // namespace
}  // namespace bitwright::worker
