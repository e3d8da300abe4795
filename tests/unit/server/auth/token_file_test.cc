#include "server/auth/token_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/files.h"
#include "proto/contract/digest.h"
#include "server/auth/auth_errors.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

class TokenFileTest : public ::testing::Test {
 protected:
  // Each is another file (a new inode), however short the time since the last one.
  void Write(const std::string& text) { BITWRIGHT_ASSERT_OK(WritePrivateFile(path_, text, TokensFileUnreadableError)); }
  static std::string Line(const std::string& name, const std::string& token) {
    return name + " tenant submitter sha256:" + Sha256Hex(token) + "\n";
  }
  void Open() {
    auto opened = TokenFile::Open(path_);
    BITWRIGHT_ASSERT_OK(opened);
    file_ = *std::move(opened);
  }
  // The name of whoever has the token, or the reason of the refusal.
  std::string Who(const std::string& token, const std::string& certificate = "") {
    const auto principal = file_->Authenticate({.bearer_token = token, .certificate_name = certificate});
    return principal.ok() ? principal->name : ErrorReason(principal.status());
  }
  std::string LogOfLook() {
    CaptureStderr();
    file_->Look();
    return GetCapturedStderr();
  }

  TempDir dir_;
  const std::string path_ = dir_ / "tokens";
  std::unique_ptr<TokenFile> file_;
};

TEST_F(TokenFileTest, TellsWhoCalls) {
  Write(Line("alice", "a") + "host tenant worker certificate:host-1\n");
  Open();
  EXPECT_EQ(Who("a"), "alice");
  EXPECT_EQ(Who("", "host-1"), "host");
  EXPECT_EQ(Who("a", "host-1"), "alice") << "a token decides";
  EXPECT_EQ(Who("x", "host-1"), "CREDENTIALS_INVALID") << "a wrong one, too";
  EXPECT_EQ(Who(""), "CREDENTIALS_MISSING");
  EXPECT_EQ(Who("", "stranger"), "CREDENTIALS_MISSING");
}

TEST_F(TokenFileTest, RefusalsAreUnauthenticatedAndNameTheRemedy) {
  Write("");
  Open();
  for (const char* token : {"", "wrong"}) {
    const auto refused = file_->Authenticate({.bearer_token = token});
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnauthenticated));
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("--token-file"));
  }
}

TEST_F(TokenFileTest, AChangedFileIsTakenUp) {
  Write(Line("alice", "a"));
  Open();
  EXPECT_EQ(LogOfLook(), "") << "it did not change";
  Write(Line("bob", "b"));
  EXPECT_EQ(Who("a"), "alice") << "nobody looked yet";
  EXPECT_THAT(LogOfLook(), HasSubstr("was read again principals=1"));
  EXPECT_EQ(Who("b"), "bob");
  EXPECT_EQ(Who("a"), "CREDENTIALS_INVALID");
}

TEST_F(TokenFileTest, ABrokenFileKeepsWhatWasThereAndIsSaidOnce) {
  Write(Line("alice", "a"));
  Open();
  Write("nonsense\n");
  EXPECT_THAT(LogOfLook(), HasSubstr("the tokens of before stay valid: tokens file '" + path_ + "', line 1"));
  EXPECT_EQ(LogOfLook(), "");
  EXPECT_EQ(Who("a"), "alice");
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  EXPECT_THAT(LogOfLook(), HasSubstr("cannot be read: No such file"));
  EXPECT_EQ(LogOfLook(), "");
  EXPECT_EQ(Who("a"), "alice");
  Write(Line("bob", "b"));
  EXPECT_THAT(LogOfLook(), HasSubstr("was read again"));
  EXPECT_EQ(Who("b"), "bob");
}

TEST_F(TokenFileTest, AFileThatOthersCanReadIsWarnedOf) {
  Write(Line("alice", "a"));
  CaptureStderr();
  Open();
  EXPECT_EQ(GetCapturedStderr(), "");
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  CaptureStderr();
  Open();
  EXPECT_THAT(GetCapturedStderr(), HasSubstr("is open to other users than its owner; chmod 600"));
  EXPECT_EQ(Who("a"), "alice");
}

TEST_F(TokenFileTest, ItMustBeThereAtTheStart) {
  EXPECT_THAT(TokenFile::Open(path_), HasReason("TOKENS_FILE_UNREADABLE"));
  Write("nonsense\n");
  EXPECT_THAT(TokenFile::Open(path_), HasReason("TOKENS_FILE_INVALID"));
}

}  // namespace
}  // namespace bitwright::server
