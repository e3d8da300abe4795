#include "server/auth/principals.h"

#include "proto/contract/digest.h"
#include "proto/contract/principals.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

std::string Hash(const std::string& token) { return "sha256:" + Sha256Hex(token); }

// What is wrong with a text, as a person reads it.
std::string Complaint(const std::string& text) {
  const auto parsed = Principals::Parse(text, "tokens");
  EXPECT_THAT(parsed, HasReason("TOKENS_FILE_INVALID"));
  return std::string(parsed.status().message());
}

TEST(Principals, ALineIsAPrincipal) {
  ASSERT_OK_AND_ASSIGN(const Principals all, Principals::Parse("# the team\n"
                                                               "\n"
                                                               "alice  nlp\tsubmitter " +
                                                                   Hash("a") +
                                                                   "  # laptop\r\n"
                                                                   "gpu.1 ops worker,operator certificate:gpu-1\n",
                                                               "tokens"));
  ASSERT_NE(all.OfToken("a"), nullptr);
  EXPECT_EQ(all.OfToken("a")->name, "alice");
  EXPECT_EQ(all.OfToken("a")->tenant, "nlp");
  EXPECT_EQ(all.OfToken("a")->roles, (Roles{Role::kSubmitter}));
  ASSERT_NE(all.OfCertificate("gpu-1"), nullptr);
  EXPECT_EQ(all.OfCertificate("gpu-1")->roles, (Roles{Role::kWorker, Role::kOperator}));
  EXPECT_EQ(all.size(), 2u);
}

TEST(Principals, OthersAreNobody) {
  ASSERT_OK_AND_ASSIGN(const Principals all, Principals::Parse("a t worker " + Hash("a") + "\n", "tokens"));
  EXPECT_EQ(all.OfToken("b"), nullptr);
  EXPECT_EQ(all.OfToken(""), nullptr);
  EXPECT_EQ(all.OfToken(Sha256Hex("a")), nullptr) << "who reads the file has no token";
  EXPECT_EQ(all.OfCertificate(""), nullptr);
  EXPECT_EQ(all.OfCertificate("a"), nullptr);
}

TEST(Principals, WhatIsWrongIsSaidWithLineAndRemedy) {
  const std::string good = "alice nlp submitter " + Hash("a") + "\n";
  EXPECT_THAT(Complaint(good + "bob nlp submitter\n"),
              HasSubstr("'tokens', line 2: it has 3 fields; write NAME TENANT"));
  EXPECT_THAT(Complaint("Alice nlp submitter " + Hash("a")),
              HasSubstr("line 1: it has the name 'Alice'; write 1 to 63"));
  EXPECT_THAT(Complaint("a " + std::string(64, 't') + " worker " + Hash("a")), HasSubstr("has the name 'ttt"));
  EXPECT_THAT(Complaint("a t admin " + Hash("a")),
              HasSubstr("has the role 'admin'; write submitter, operator or worker"));
  EXPECT_THAT(Complaint("a t worker, " + Hash("a")), HasSubstr("has the role ''"));
  EXPECT_THAT(Complaint(good + "\n" + "alice nlp worker " + Hash("b")), HasSubstr("line 3: it names 'alice' a second"));
  EXPECT_THAT(Complaint(good + "bob nlp worker " + Hash("a")), HasSubstr("line 2: it has the token or certificate of"));
  EXPECT_THAT(Complaint("a t worker certificate:c\nb t worker certificate:c"),
              HasSubstr("line 2: it has the token or"));
  EXPECT_THAT(Complaint("a t worker certificate:"), HasSubstr("ends with neither"));
  EXPECT_THAT(Complaint("a t worker sha256:ABC"), HasSubstr("ends with neither"));
}

TEST(Principals, AComplaintNeverShowsAToken) {
  EXPECT_THAT(Complaint("a t worker bw_secret"), ::testing::Not(HasSubstr("bw_secret")));
}

TEST(Principals, WhatTheCommandLineMakesIsTaken) {
  const std::string token = MakeToken();
  EXPECT_EQ(token.size(), 3u + 64u);
  EXPECT_NE(token, MakeToken());
  const std::vector<std::string> roles(kRoleWords.begin(), kRoleWords.end());
  ASSERT_OK_AND_ASSIGN(const Principals all, Principals::Parse(TokensFileLine("a", "t", roles, token), "tokens"));
  ASSERT_NE(all.OfToken(token), nullptr);
  EXPECT_EQ(all.OfToken(token)->roles, Roles::All());
}

TEST(Principals, SecretsAreComparedWhole) {
  EXPECT_TRUE(SameSecret("abc", "abc"));
  EXPECT_FALSE(SameSecret("abc", "abd"));
  EXPECT_FALSE(SameSecret("abc", "ab"));
}

}  // namespace
}  // namespace bitwright::server
