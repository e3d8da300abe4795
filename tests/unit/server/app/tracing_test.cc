#include "server/app/tracing.h"

#include <cstdlib>

#include "server/app/options.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

// The variables that count, unset when a test begins and ends.
class TracingTest : public ::testing::Test {
 protected:
  TracingTest() { Forget(); }
  ~TracingTest() override { Forget(); }
  static void Forget() {
    for (const char* name :
         {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_CERTIFICATE",
          "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_SERVICE_NAME"}) {
      ::unsetenv(name);
    }
  }
  static TracingOptions Parse(std::vector<const char*> more = {}) {
    std::vector<const char*> arguments = {"bitwrightd", "--data-dir", "d"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandLine command = ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
    EXPECT_TRUE(command.options.has_value());
    return command.options->tracing;
  }
  absl::StatusOr<std::unique_ptr<SpanSink>> Start(const TracingOptions& options) {
    return StartTracing(options, "1.2.3", clock_, metrics_);
  }

  SystemClock clock_;
  Metrics metrics_;
};

TEST_F(TracingTest, IsOffUnlessSomebodySaysWhere) {
  EXPECT_EQ(Parse().endpoint, "");
  EXPECT_EQ(Parse().service_name, "bitwrightd");
  ASSERT_OK_AND_ASSIGN(const auto spans, Start(Parse()));
  EXPECT_EQ(spans, nullptr);
}

TEST_F(TracingTest, TheEnvironmentIsTheDefault) {
  ::setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", 1);
  ::setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem", 1);
  ::setenv("OTEL_SERVICE_NAME", "quantizer", 1);
  EXPECT_EQ(Parse().endpoint, "http://127.0.0.1:1");
  EXPECT_EQ(Parse().ca_file, "ca.pem");
  EXPECT_EQ(Parse().service_name, "quantizer");
  ::setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:2", 1);
  EXPECT_EQ(Parse().endpoint, "http://127.0.0.1:2");
  ::setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", 1);
  EXPECT_EQ(Parse().endpoint, "http://127.0.0.1:1") << "empty is not set";
  ASSERT_OK_AND_ASSIGN(const auto spans, Start(Parse()));
  EXPECT_NE(spans, nullptr);
  EXPECT_EQ(Parse({"--otlp-endpoint", "127.0.0.1:3"}).endpoint, "127.0.0.1:3");
  EXPECT_EQ(Parse({"--otlp-endpoint", ""}).endpoint, "");
}

TEST_F(TracingTest, AFlagThatCannotBeUsedIsAnError) {
  EXPECT_THAT(Start(Parse({"--otlp-endpoint", "nonsense"})), HasReason("OTLP_ENDPOINT_INVALID"));
  EXPECT_THAT(Start(Parse({"--otlp-endpoint", "10.0.0.1:4317"})), HasReason("OTLP_PLAINTEXT_REFUSED"));
  ::setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nonexistent/ca.pem", 1);
  EXPECT_THAT(Start(Parse({"--otlp-endpoint", "https://10.0.0.1:4317"})), HasReason("OTLP_CERTIFICATE_INVALID"));
}

TEST_F(TracingTest, AnEnvironmentThatCannotBeUsedIsSaid) {
  ::setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://10.0.0.1:4317", 1);
  ::testing::internal::CaptureStderr();
  const auto started = Start(Parse());
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("no traces are written"));
  BITWRIGHT_ASSERT_OK(started);
  EXPECT_EQ(*started, nullptr);
}

}  // namespace
}  // namespace bitwright::server
