#include "workers/formats/int_format.h"

#include "tests/support/status_matchers.h"
#include "workers/formats/format.h"

namespace bitwright::worker {
namespace {

TEST(IntFormatTest, NamesRoundTrip) {
  EXPECT_EQ(FormatName({4, 128}), "int4-g128");
  EXPECT_EQ(FormatName({4, IntFormat::kChannel}), "int4-channel");
  for (const IntFormat format : AllowedIntFormats(128)) {
    ASSERT_OK_AND_ASSIGN(const IntFormat parsed, ParseIntFormat(FormatName(format)));
    EXPECT_EQ(parsed, format);
  }
}

TEST(IntFormatTest, OnlyChannelsOf8BitsRoundInputs) {
  const IntFormat format{8, IntFormat::kChannel, false, false, 8};
  EXPECT_EQ(FormatName(format), "int8-channel-a8");
  ASSERT_OK_AND_ASSIGN(const IntFormat parsed, ParseIntFormat("int8-channel-a8"));
  EXPECT_EQ(parsed, format);
  EXPECT_EQ(InputOf(format).bits, 8);
  EXPECT_FALSE(InputOf(IntFormat{8, IntFormat::kChannel}).rounds());
  EXPECT_EQ(CodedBytes(format, 24, 80, DType::kBF16), 24 * 80 + 2 * 24);
  EXPECT_TRUE(IsMoreTypical(IntFormat{8, IntFormat::kChannel}, format));
  EXPECT_THAT(CheckFormat({8, 0, false, false, 4}), HasReason("FORMAT_UNKNOWN"));
}

TEST(IntFormatTest, RefusesUnknownNames) {
  for (const char* name :
       {"", "int4", "int1-g128", "int9-channel", "int4-g16", "int4-g0", "int4-g128 ", "fp8-channel", "int4-channel-a8",
        "int8-g128-a8", "int8-channel-a4", "int8-channel-f16-a8", "int8-channel-a8-a8"}) {
    EXPECT_THAT(ParseIntFormat(name), HasReason("FORMAT_UNKNOWN")) << name;
  }
  EXPECT_THAT(CheckFormat({9, 32}), HasReason("FORMAT_UNKNOWN"));
  EXPECT_THAT(CheckFormat({4, 48}), HasReason("FORMAT_UNKNOWN"));
  BITWRIGHT_EXPECT_OK(CheckFormat({2, 0}));
}

TEST(IntFormatTest, GroupsMustDivideTheInputs) {
  EXPECT_EQ(AllowedIntFormats(512).size(), 28u);
  EXPECT_EQ(AllowedIntFormats(576).size(), 21u);  // 128 does not divide it
  EXPECT_EQ(AllowedIntFormats(50).size(), 7u);
  EXPECT_EQ(AllowedIntFormats(512).front(), (IntFormat{2, 32}));
  EXPECT_EQ(AllowedIntFormats(512).back(), (IntFormat{8, IntFormat::kChannel}));
}

TEST(IntFormatTest, CountsEveryByte) {
  EXPECT_EQ(StoredBytes({3, IntFormat::kChannel}, 23, 50, DType::kF32), 4 * 23 * 5 + 4 * 23 + 16);
  EXPECT_EQ(StoredBytes({8, 32}, 37, 96, DType::kBF16), 37 * 96 + 2 * 37 * 3 + 16);
}

}  // namespace
}  // namespace bitwright::worker
