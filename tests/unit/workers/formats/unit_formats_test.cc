#include "workers/formats/unit_formats.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

TEST(UnitFormatsTest, GivesEachLinearOfEveryExpertItsOwn) {
  const UnitFormats same(IntFormat{4, 128});
  EXPECT_FALSE(same.differ());
  for (const size_t l : {0, 1, 7}) EXPECT_EQ(same.Of(l), Format(IntFormat{4, 128}));

  const UnitFormats own({BlockType::kQ4_K, BlockType::kQ6_K});
  EXPECT_TRUE(own.differ());
  for (size_t l = 0; l < 6; ++l) EXPECT_EQ(own.Of(l), Format(l % 2 == 0 ? BlockType::kQ4_K : BlockType::kQ6_K)) << l;
}

TEST(UnitFormatsTest, EqualOnesAreOne) {
  const UnitFormats equal({BlockType::kQ4_K, BlockType::kQ4_K, BlockType::kQ4_K});
  EXPECT_FALSE(equal.differ());
  EXPECT_EQ(equal, UnitFormats(BlockType::kQ4_K));
  EXPECT_NE(equal, UnitFormats({BlockType::kQ4_K, BlockType::kQ4_K, BlockType::kQ6_K}));
}

TEST(UnitFormatsTest, NamesRoundTrip) {
  for (const char* name : {"int4-g128", "Q4_K+Q6_K", "Q4_K+Q4_K+IQ4_XS", "unquantized"}) {
    ASSERT_OK_AND_ASSIGN(const UnitFormats formats, UnitFormats::Parse(name));
    EXPECT_EQ(formats.Name(), name);
  }
  for (const char* name : {"", "+", "Q4_K+", "Q4_K+q6", "Q4_K + Q6_K"}) {
    EXPECT_THAT(UnitFormats::Parse(name), HasReason("FORMAT_UNKNOWN")) << name;
  }
}

}  // namespace
}  // namespace bitwright::worker
