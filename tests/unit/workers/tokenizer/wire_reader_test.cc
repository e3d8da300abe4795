#include "workers/tokenizer/wire_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace bitwright::worker {
namespace {

using Kind = WireReader::Kind;

TEST(WireReader, ReadsEveryKindOfField) {
  const std::string message("\x08\xAC\x02\x12\x02hi\x1D\x01\x00\x00\x00\x21\x02\x00\x00\x00\x00\x00\x00\x00", 21);
  WireReader reader(message);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.field(), 1u);
  EXPECT_EQ(reader.number(), 300u);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.field(), 2u);
  EXPECT_EQ(reader.bytes(), "hi");
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.kind(), Kind::kFixed32);
  EXPECT_EQ(reader.number(), 1u);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.kind(), Kind::kFixed64);
  EXPECT_EQ(reader.number(), 2u);
  EXPECT_FALSE(reader.Next());
  EXPECT_FALSE(reader.damaged());
}

TEST(WireReader, DamageIsNoEnd) {
  const std::string messages[] = {
      "\x08",                                              // no value
      "\x08\x80",                                          // a number that goes on
      "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",  // and on
      "\x12\x03hi",                                        // longer than the message
      "\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01hi",    // by far
      std::string("\x1D\x00\x00\x00", 4),                  // three bytes of four
      "\x0B",                                              // a group
      "\x0E",                                              // a kind that does not exist
      std::string("\x00\x01", 2),                          // field 0
  };
  for (const std::string& message : messages) {
    WireReader reader(message);
    EXPECT_FALSE(reader.Next());
    EXPECT_TRUE(reader.damaged());
    EXPECT_FALSE(reader.Next());
  }
}

}  // namespace
}  // namespace bitwright::worker
