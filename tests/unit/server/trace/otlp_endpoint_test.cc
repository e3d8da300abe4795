#include "server/trace/otlp_endpoint.h"

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

TEST(OtlpEndpointTest, IsPlaintextOnThisMachine) {
  for (const char* text : {"127.0.0.1:4317", "http://127.0.0.1:4317", "HTTP://127.0.0.1:4317/"}) {
    ASSERT_OK_AND_ASSIGN(const OtlpEndpoint endpoint, ParseOtlpEndpoint(text));
    EXPECT_EQ(endpoint.address, "127.0.0.1:4317") << text;
    EXPECT_FALSE(endpoint.tls) << text;
  }
  for (const char* text : {"localhost:4317", "[::1]:4317", "unix:/run/collector"}) {
    ASSERT_OK_AND_ASSIGN(const OtlpEndpoint endpoint, ParseOtlpEndpoint(text));
    EXPECT_EQ(endpoint.address, text);
    EXPECT_FALSE(endpoint.tls);
  }
}

TEST(OtlpEndpointTest, IsAnywhereUnderTls) {
  for (const char* text : {"https://collector.example:4317", "https://collector.example:4317/"}) {
    ASSERT_OK_AND_ASSIGN(const OtlpEndpoint endpoint, ParseOtlpEndpoint(text));
    EXPECT_EQ(endpoint.address, "collector.example:4317");
    EXPECT_TRUE(endpoint.tls);
  }
  for (const char* text : {"collector.example:4317", "http://10.0.0.1:4317", "http://[fe80::1]:4317"}) {
    EXPECT_THAT(ParseOtlpEndpoint(text), HasReason("OTLP_PLAINTEXT_REFUSED")) << text;
  }
}

TEST(OtlpEndpointTest, RefusesWhatIsNone) {
  for (const char* text : {"", "localhost", "localhost:", ":4317", "localhost:0", "localhost:65536", "localhost:+1",
                           "http://localhost", "http://localhost:4317/v1/traces", "ftp://localhost:1",
                           "unix:", "http://user@localhost:4317", "::1:4317", "localhost:4317//"}) {
    EXPECT_THAT(ParseOtlpEndpoint(text), HasReason("OTLP_ENDPOINT_INVALID")) << text;
  }
}

}  // namespace
}  // namespace bitwright::server
