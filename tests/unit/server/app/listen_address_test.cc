#include "server/app/listen_address.h"

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

constexpr Protection kNone;
constexpr Protection kFull{.tls = true, .tokens = true};

TEST(ListenAddress, LoopbackAndSocketsAreAcceptedInAnyCase) {
  for (const char* address : {"127.0.0.1:7071", "127.1.2.3:0", "localhost:80", "[::1]:7071", "unix:/run/bitwright"}) {
    for (const Protection protection : {kNone, kFull, Protection{.tls = true}, Protection{.tokens = true}}) {
      EXPECT_THAT(CheckListenAddress(address, protection), IsOk()) << address;
    }
  }
}

TEST(ListenAddress, APublicOneTakesTlsAndTokens) {
  for (const char* address : {"0.0.0.0:7071", "192.168.1.5:7071", "[::]:7071", "example.org:7071", "128.0.0.1:1"}) {
    EXPECT_THAT(CheckListenAddress(address, kFull), IsOk()) << address;
    for (const Protection protection : {kNone, Protection{.tls = true}, Protection{.tokens = true}}) {
      EXPECT_THAT(CheckListenAddress(address, protection), HasReason("PUBLIC_PLAINTEXT_REFUSED")) << address;
    }
  }
}

TEST(ListenAddress, WhatIsMissingIsNamed) {
  const auto message = [](Protection protection) {
    return std::string(CheckListenAddress("0.0.0.0:1", protection).message());
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(message(kNone),
              HasSubstr("which takes --tls-cert FILE --tls-key FILE and --tokens-file FILE; give these"));
  EXPECT_THAT(message({.tls = true}), HasSubstr("which takes --tokens-file FILE; give"));
  EXPECT_THAT(message({.tokens = true}), HasSubstr("which takes --tls-cert FILE --tls-key FILE; give"));
}

TEST(ListenAddress, NonsenseIsRefused) {
  for (const char* address :
       {"", "7071", ":7071", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "unix:"}) {
    EXPECT_THAT(CheckListenAddress(address, kFull), HasReason("LISTEN_INVALID")) << address;
  }
}

TEST(MetricsAddress, FollowsTheServer) {
  EXPECT_EQ(MetricsAddressOf("127.0.0.1:7071"), "127.0.0.1:7072");
  EXPECT_EQ(MetricsAddressOf("[::1]:80"), "[::1]:81");
  EXPECT_EQ(MetricsAddressOf("0.0.0.0:7071"), "127.0.0.1:7072") << "metrics are not encrypted";
  EXPECT_EQ(MetricsAddressOf("[::]:0"), "127.0.0.1:0");
  EXPECT_EQ(MetricsAddressOf("127.0.0.1:0"), "127.0.0.1:0") << "any free port";
  EXPECT_EQ(MetricsAddressOf("127.0.0.1:65535"), "127.0.0.1:0") << "there is none after it";
  EXPECT_EQ(MetricsAddressOf("unix:/run/bitwright"), "off");
  EXPECT_EQ(AnyPortOf("[::1]:81"), "[::1]:0");
}

TEST(WebAddress, FollowsMetrics) {
  EXPECT_EQ(WebAddressOf("127.0.0.1:7071"), "127.0.0.1:7073");
  EXPECT_EQ(WebAddressOf("0.0.0.0:7071"), "127.0.0.1:7073") << "nobody asked for a public one";
  EXPECT_EQ(WebAddressOf("127.0.0.1:65534"), "127.0.0.1:0");
  EXPECT_EQ(WebAddressOf("unix:/run/bitwright"), "off");
}

TEST(WebAddress, IsHeldToTheRulesOfTheServer) {
  for (const char* address : {"", "off", "127.0.0.1:0", "[::1]:80"}) {
    BITWRIGHT_EXPECT_OK(CheckWebAddress(address, kNone)) << address;
  }
  EXPECT_THAT(CheckWebAddress("0.0.0.0:80", Protection{.tls = true}), HasReason("PUBLIC_PLAINTEXT_REFUSED"));
  BITWRIGHT_EXPECT_OK(CheckWebAddress("0.0.0.0:80", kFull));
  EXPECT_THAT(CheckWebAddress("unix:/run/page", kFull), HasReason("LISTEN_INVALID"));
  EXPECT_THAT(CheckWebAddress("7073", kFull), HasReason("LISTEN_INVALID"));
}

TEST(WebAddress, HasHostAndPort) {
  EXPECT_EQ(HostAndPortOf("[::1]:80"), std::pair(std::string("[::1]"), 80));
  EXPECT_EQ(HostAndPortOf("localhost:0"), std::pair(std::string("localhost"), 0));
}

}  // namespace
}  // namespace bitwright::server
