#include "proto/transfer/token_source.h"

#include "proto/base/files.h"
#include "proto/transfer/access_errors.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

class TokenSourceTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) { BITWRIGHT_ASSERT_OK(WritePrivateFile(path_, text, AccessFileUnreadableError)); }
  TempDir dir_;
  const std::string path_ = dir_ / "token";
};

TEST_F(TokenSourceTest, TheFirstLineIsTheToken) {
  Write("bw_1\nalice tenant submitter sha256:…\n");
  ASSERT_OK_AND_ASSIGN(const auto source, TokenSource::Open(path_));
  EXPECT_EQ(source->token(), "bw_1");
}

TEST_F(TokenSourceTest, WhatIsNoTokenIsRefusedByName) {
  EXPECT_THAT(TokenSource::Open(path_), HasReason("ACCESS_FILE_UNREADABLE"));
  for (const std::string& text : {std::string(), std::string("\nbw_1"), std::string("two words"),
                                  std::string("bw_\x01"), std::string("t\xc3\xb6ken"), std::string(1025, 't')}) {
    Write(text);
    const auto source = TokenSource::Open(path_);
    EXPECT_THAT(source, HasReason("TOKEN_FILE_INVALID")) << text;
    EXPECT_THAT(std::string(source.status().message()), ::testing::HasSubstr(path_));
  }
}

TEST_F(TokenSourceTest, ARefusedTokenIsLookedForAgain) {
  Write("old");
  ASSERT_OK_AND_ASSIGN(const auto source, TokenSource::Open(path_));
  EXPECT_FALSE(source->Renew("old")) << "the file has no other";
  Write("new");
  EXPECT_TRUE(source->Renew("old"));
  EXPECT_EQ(source->token(), "new");
  EXPECT_TRUE(source->Renew("old")) << "another call was faster";
  EXPECT_FALSE(source->Renew("new"));
}

TEST_F(TokenSourceTest, ABrokenFileKeepsTheToken) {
  Write("old");
  ASSERT_OK_AND_ASSIGN(const auto source, TokenSource::Open(path_));
  Write("");
  EXPECT_FALSE(source->Renew("old"));
  EXPECT_EQ(source->token(), "old");
}

}  // namespace
}  // namespace bitwright
