#include "proto/base/utf8.h"

#include <gtest/gtest.h>

namespace bitwright {
namespace {

TEST(Utf8, TheWellFormedBeginning) {
  EXPECT_EQ(ValidUtf8Prefix(""), 0u);
  EXPECT_EQ(ValidUtf8Prefix("aé日👋"), 10u);
  EXPECT_EQ(ValidUtf8Prefix("a\xe9"), 1u);
  EXPECT_EQ(ValidUtf8Prefix("日\xe6\x97"), 3u);          // cut inside of a character
  EXPECT_EQ(ValidUtf8Prefix("\xc0\x80"), 0u);            // overlong
  EXPECT_EQ(ValidUtf8Prefix("x\xed\xa0\x80"), 1u);       // a surrogate
  EXPECT_EQ(ValidUtf8Prefix("xy\xf4\x90\x80\x80"), 2u);  // above U+10FFFF
}

TEST(Utf8, CutsBetweenCharacters) {
  EXPECT_EQ(CutUtf8("abc", 3), "abc");
  EXPECT_EQ(CutUtf8("abc", 2), "ab");
  EXPECT_EQ(CutUtf8("日本", 6), "日本");
  EXPECT_EQ(CutUtf8("日本", 5), "日");
  EXPECT_EQ(CutUtf8("日本", 4), "日");
  EXPECT_EQ(CutUtf8("日本", 3), "日");
  EXPECT_EQ(CutUtf8("日本", 2), "");
  EXPECT_EQ(CutUtf8("a👋", 4), "a");
}

}  // namespace
}  // namespace bitwright
