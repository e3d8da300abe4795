#include "server/trace/trace_exporter.h"

#include <google/protobuf/any.pb.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/status.h>

#include "absl/synchronization/notification.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "proto/base/files.h"
#include "server/trace/trace_errors.h"
#include "tests/support/certificates.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/proto/transfer/test_clock.h"
#include "tests/unit/server/support/fake_collector.h"

namespace bitwright::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

FakeCollector::Answer Fails(grpc::StatusCode code) {
  return [code](FakeCollector::Response&) { return grpc::Status(code, "not now"); };
}

FakeCollector::Answer AsksToWait(grpc::StatusCode code, int64_t seconds) {
  return [=](FakeCollector::Response&) {
    google::rpc::RetryInfo info;
    info.mutable_retry_delay()->set_seconds(seconds);
    google::rpc::Status status;
    status.set_code(static_cast<int>(code));
    status.add_details()->PackFrom(info);
    return grpc::Status(code, "too much", status.SerializeAsString());
  };
}

FakeCollector::Answer WaitsFor(const absl::Notification& go_on) {
  return [&go_on](FakeCollector::Response&) {
    go_on.WaitForNotification();
    return grpc::Status::OK;
  };
}

Span Named(const std::string& name) {
  Span span;
  span.context = NewTrace();
  span.name = name;
  return span;
}

class TraceExporterTest : public ::testing::Test {
 protected:
  void Start(const std::string& address, const std::function<void(TraceExporterOptions&)>& change = nullptr) {
    TraceExporterOptions options;
    options.endpoint.address = address;
    options.resource = {.service_name = "name", .service_version = "1.2", .service_instance_id = "i"};
    options.queue.pause = absl::Milliseconds(20);
    if (change) change(options);
    auto started = TraceExporter::Start(options, clock_, metrics_);
    ASSERT_THAT(started, IsOk());
    exporter_ = *std::move(started);
  }

  double Sent() const { return Series("bitwright_trace_spans_sent_total "); }
  double Dropped(const std::string& reason) const {
    return Series("bitwright_trace_spans_dropped_total{reason=\"" + reason + "\"} ");
  }
  double Series(const std::string& name) const {
    const std::string text = metrics_.Text();
    const size_t at = text.find("\n" + name);
    EXPECT_NE(at, std::string::npos) << name;
    return std::stod(text.substr(at + 1 + name.size()));
  }

  TempDir dir_;
  TestClock clock_;
  Metrics metrics_;
  std::unique_ptr<TraceExporter> exporter_;
};

TEST_F(TraceExporterTest, SendsWhatItIsGivenInBatches) {
  const FakeCollector collector;
  Start(collector.address(), [](TraceExporterOptions& options) {
    options.queue.most_in_batch = 2;
    options.queue.pause = absl::Seconds(1);
  });
  for (const char* name : {"a", "b", "c", "d", "e"}) exporter_->Take(Named(name));
  ASSERT_TRUE(collector.WaitForSpans(5));
  EXPECT_THAT(collector.names(), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(collector.calls(), SizeIs(3));
  exporter_.reset();
  EXPECT_EQ(Sent(), 5);
  EXPECT_EQ(Dropped("queue_full"), 0);
}

TEST_F(TraceExporterTest, TriesAgainWhileTheCollectorIsBusy) {
  const FakeCollector collector({Fails(grpc::StatusCode::UNAVAILABLE), Fails(grpc::StatusCode::DEADLINE_EXCEEDED),
                                 AsksToWait(grpc::StatusCode::RESOURCE_EXHAUSTED, 7)});
  Start(collector.address());
  exporter_->Take(Named("a"));
  ASSERT_TRUE(collector.WaitForSpans(1));
  EXPECT_THAT(collector.calls(), SizeIs(4));
  const std::vector<absl::Duration> pauses = clock_.sleeps();
  ASSERT_THAT(pauses, SizeIs(3));
  EXPECT_LE(pauses[0], absl::Seconds(1));
  EXPECT_GE(pauses[0], absl::Seconds(0.5));
  EXPECT_LE(pauses[1], absl::Seconds(2));
  EXPECT_GE(pauses[1], absl::Seconds(1));
  EXPECT_EQ(pauses[2], absl::Seconds(7)) << "as the collector asked for";
  exporter_.reset();
  EXPECT_EQ(Sent(), 1);
}

TEST_F(TraceExporterTest, SendsNothingAgainThatWasRefused) {
  const FakeCollector collector({Fails(grpc::StatusCode::INVALID_ARGUMENT), Fails(grpc::StatusCode::RESOURCE_EXHAUSTED),
                                 Fails(grpc::StatusCode::INTERNAL), [](FakeCollector::Response& response) {
                                   response.mutable_partial_success()->set_rejected_spans(1);
                                   response.mutable_partial_success()->set_error_message("one is too old");
                                   return grpc::Status::OK;
                                 }});
  Start(collector.address(), [](TraceExporterOptions& options) { options.queue.most_in_batch = 1; });
  ::testing::internal::CaptureStderr();
  for (const char* name : {"a", "b", "c", "d", "e"}) exporter_->Take(Named(name));
  ASSERT_TRUE(collector.WaitForSpans(2));
  exporter_.reset();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(collector.calls(), SizeIs(5));
  EXPECT_THAT(clock_.sleeps(), IsEmpty());
  EXPECT_EQ(Dropped("refused"), 4);
  EXPECT_EQ(Sent(), 1);
  EXPECT_THAT(log, HasSubstr("spans are dropped"));
  EXPECT_EQ(log.find("spans are dropped"), log.rfind("spans are dropped")) << "said once: " << log;
}

TEST_F(TraceExporterTest, GivesABatchUpAfterAWhile) {
  Start("127.0.0.1:1");  // nobody listens there
  exporter_->Take(Named("a"));
  while (Dropped("undelivered") == 0) absl::SleepFor(absl::Milliseconds(5));
  absl::Duration slept;
  for (const absl::Duration pause : clock_.sleeps()) slept += pause;
  EXPECT_LE(slept, absl::Minutes(1));
  EXPECT_GE(slept, absl::Seconds(40)) << "it tried for as long as it may";
}

TEST_F(TraceExporterTest, KeepsNoMoreThanItMayAndNeverWaits) {
  absl::Notification go_on;
  const FakeCollector collector({WaitsFor(go_on)});
  Start(collector.address(), [](TraceExporterOptions& options) {
    options.queue.most_in_batch = 1;
    options.queue.most_waiting = 3;
  });
  exporter_->Take(Named("first"));
  ASSERT_TRUE(collector.WaitForCalls(1));
  for (int i = 0; i < 10; ++i) exporter_->Take(Named(std::to_string(i)));
  EXPECT_EQ(Dropped("queue_full"), 7);
  go_on.Notify();
  ASSERT_TRUE(collector.WaitForSpans(4));
  EXPECT_THAT(collector.names(), ElementsAre("first", "0", "1", "2"));
}

TEST_F(TraceExporterTest, SendsWhatWaitsBeforeItEnds) {
  const FakeCollector collector;
  Start(collector.address(), [](TraceExporterOptions& options) { options.queue.pause = absl::Hours(1); });
  exporter_->Take(Named("a"));
  exporter_->Take(Named("b"));
  exporter_.reset();
  EXPECT_THAT(collector.names(), ElementsAre("a", "b"));
}

TEST_F(TraceExporterTest, DoesNotWaitForACollectorThatHangsAtTheEnd) {
  absl::Notification go_on;
  const FakeCollector collector({WaitsFor(go_on)});
  Start(collector.address(), [](TraceExporterOptions& options) {
    options.queue.most_in_batch = 1;
    options.flush_limit = absl::Milliseconds(200);
  });
  exporter_->Take(Named("a"));
  exporter_->Take(Named("b"));
  ASSERT_TRUE(collector.WaitForCalls(1));
  const absl::Time begun = absl::Now();
  exporter_.reset();
  EXPECT_LT(absl::Now() - begun, absl::Seconds(5));
  EXPECT_EQ(Dropped("undelivered"), 2);
  go_on.Notify();
}

TEST_F(TraceExporterTest, SpeaksOverASocket) {
  const FakeCollector collector({}, "unix:" + (dir_ / "collector"));
  Start(collector.address());
  exporter_->Take(Named("a"));
  EXPECT_TRUE(collector.WaitForSpans(1));
}

TEST_F(TraceExporterTest, SpeaksTlsToACollectorThatItKnows) {
  const TestAuthority authority, another;
  const auto write = [&](const std::string& name, const TestAuthority& whose) {
    EXPECT_THAT(WritePrivateFile(dir_ / name, whose.certificate(),
                                 [](const std::string& path, int) { return OtlpCertificateInvalidError(path); }),
                IsOk());
  };
  write("ca", authority);
  write("another", another);
  const TestIdentity identity = authority.Issue("collector");
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({identity.key, identity.certificate});
  const FakeCollector collector({}, "127.0.0.1:0", grpc::SslServerCredentials(tls));
  const auto send = [&](const std::string& ca) {
    Start(collector.address(), [&](TraceExporterOptions& options) {
      options.endpoint.tls = true;
      options.ca_file = dir_ / ca;
    });
    exporter_->Take(Named(ca));
  };
  send("another");
  while (Dropped("undelivered") == 0) absl::SleepFor(absl::Milliseconds(5));
  send("ca");
  ASSERT_TRUE(collector.WaitForSpans(1));
  EXPECT_THAT(collector.names(), ElementsAre("ca"));
}

TEST_F(TraceExporterTest, LooksAtItsCertificatesFirst) {
  TraceExporterOptions options;
  options.endpoint = {.address = "collector.example:4317", .tls = true};
  options.ca_file = "/nonexistent/ca.pem";
  EXPECT_THAT(TraceExporter::Start(options, clock_, metrics_), HasReason("OTLP_CERTIFICATE_INVALID"));
}

}  // namespace
}  // namespace bitwright::server
