#include "server/web/guards.h"

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

HttpRequest With(std::map<std::string, std::string> headers) {
  return {.method = "POST", .headers = std::move(headers)};
}

TEST(Guards, AServiceThatAsksNobodyAnswersByNamesOfThisMachineAlone) {
  for (const char* host : {"localhost", "localhost:7073", "127.0.0.1:7073", "127.9.9.9", "[::1]:7073"}) {
    BITWRIGHT_EXPECT_OK(CheckHost(With({{"host", host}}))) << host;
  }
  for (const char* host : {"", "evil.example", "127.0.0.1.evil.example:7073", "unix:7073", "10.0.0.1:7073"}) {
    EXPECT_THAT(CheckHost(With({{"host", host}})), HasReason("HOST_REFUSED")) << host;
  }
}

TEST(Guards, AFormComesFromAPageOfThisService) {
  const std::string host = "localhost:7073";
  BITWRIGHT_EXPECT_OK(CheckSameSite(With({{"host", host}})));
  BITWRIGHT_EXPECT_OK(CheckSameSite(With({{"host", host}, {"origin", "http://" + host}})));
  BITWRIGHT_EXPECT_OK(CheckSameSite(With({{"host", host}, {"sec-fetch-site", "same-origin"}})));
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"origin", "null"}, {"sec-fetch-site", "cross-site"}}) {
    EXPECT_THAT(CheckSameSite(With({{"host", host}, {name, value}})), HasReason("CROSS_SITE_REFUSED")) << value;
  }
  for (const char* other : {"http://evil.example", "http://localhost", "http://localhost:7074", "localhost:7073"}) {
    EXPECT_THAT(CheckSameSite(With({{"host", host}, {"origin", other}})), HasReason("CROSS_SITE_REFUSED")) << other;
  }
  EXPECT_THAT(CheckSameSite(With({{"host", host}, {"sec-fetch-site", "same-site"}})), HasReason("CROSS_SITE_REFUSED"))
      << "another port or subdomain";
}

TEST(Guards, SigningInLeadsToPathsOfThisServiceAlone) {
  EXPECT_EQ(LocalPath("/jobs/3f"), "/jobs/3f");
  for (const char* path : {"", "jobs", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y"}) {
    EXPECT_EQ(LocalPath(path), "/") << path;
  }
}

TEST(Guards, OneCookieOfSeveralIsFound) {
  const HttpRequest request = With({{"cookie", "a=1; bitwright-7073=secret; xbitwright-7073=other"}});
  EXPECT_EQ(Cookie(request, "bitwright-7073"), "secret");
  EXPECT_EQ(Cookie(request, "bitwright"), "");
}

TEST(Guards, APolicyNamesTheStyleOfAPageByItsDigest) {
  HttpResponse response;
  AddSecurityHeaders(response, "b{}");
  const std::string policy = response.headers.front().second;
  // python3 -c 'import base64,hashlib; print(base64.b64encode(hashlib.sha256(b"b{}").digest()))'
  EXPECT_THAT(policy, HasSubstr("style-src 'sha256-7yqHVAesot11p6HczDsgKRipvI5UPgs97z80zNXlans='"));
  EXPECT_THAT(policy, Not(HasSubstr("script-src")));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

}  // namespace
}  // namespace bitwright::server
