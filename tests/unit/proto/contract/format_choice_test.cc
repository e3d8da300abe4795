#include "proto/contract/format_choice.h"

#include <gtest/gtest.h>

namespace bitwright {
namespace {

TEST(FormatChoice, AllListsMustAllow) {
  v1::Recipe::Formats formats;
  EXPECT_TRUE(AllowsFormat(formats, "int4-g64", 4, 64));
  formats.add_bits(4);
  formats.add_group_sizes(64);
  EXPECT_TRUE(AllowsFormat(formats, "int4-g64", 4, 64));
  EXPECT_FALSE(AllowsFormat(formats, "int4-g32", 4, 32));
  EXPECT_FALSE(AllowsFormat(formats, "int3-g64", 3, 64));
  formats.add_names("int4-g32");
  EXPECT_FALSE(AllowsFormat(formats, "int4-g64", 4, 64));
}

TEST(FormatChoice, SomeMustBeNamed) {
  v1::Recipe::Formats formats;
  EXPECT_FALSE(AllowsFormat(formats, "int4-g64-asym", 4, 64));
  formats.add_names("int4-g64-asym");
  EXPECT_TRUE(AllowsFormat(formats, "int4-g64-asym", 4, 64));
}

TEST(FormatChoice, EndsHaveTheirOwnListOrThatOfAll) {
  v1::Recipe::Formats formats;
  formats.add_bits(4);
  EXPECT_FALSE(AllowsFormat(FormatsOfEnds(formats), "Q8_0", 8, 32));
  formats.add_ends("Q8_0");
  EXPECT_TRUE(AllowsFormat(FormatsOfEnds(formats), "Q8_0", 8, 32));
  EXPECT_FALSE(AllowsFormat(FormatsOfEnds(formats), "Q4_K", 4, 32));
  EXPECT_TRUE(AllowsFormat(formats, "Q4_K", 4, 32));
}

}  // namespace
}  // namespace bitwright
