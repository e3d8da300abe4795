// The spans of calls, as a collector gets them from a whole server.
#include <map>

#include "bitwright/v1/jobs.grpc.pb.h"
#include "bitwright/v1/models.grpc.pb.h"
#include "proto/contract/trace_context.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/fake_collector.h"
#include "tests/unit/server/support/test_server.h"

namespace bitwright::server {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kCallersTrace[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kTraceOfCaller[] = "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36";
constexpr char kGetJob[] = "bitwright.v1.JobService/GetJob";

class CallSpanTest : public ::testing::Test {
 protected:
  using Metadata = std::multimap<std::string, std::string>;

  // Asks for a job that is not there.
  void Ask(const Metadata& metadata) {
    const auto jobs = v1::JobService::NewStub(test_.calls->channel);
    const auto context = RawCalls::Context();
    for (const auto& [key, value] : metadata) context->AddMetadata(key, value);
    v1::GetJobRequest request;
    request.set_name("jobs/none");
    v1::Job job;
    EXPECT_THAT(FromGrpc(jobs->GetJob(context.get(), request, &job)), HasReason("JOB_NOT_FOUND"));
  }

  // The only span of that name that comes until the server has ended.
  FakeCollector::Taken Only(const std::string& name) {
    test_.calls.reset();
    test_.server.reset();
    std::vector<FakeCollector::Taken> found = collector_.spans();
    std::erase_if(found, [&](const FakeCollector::Taken& span) { return span.name() != name; });
    EXPECT_THAT(found, SizeIs(1));
    return found.empty() ? FakeCollector::Taken() : found[0];
  }

  static std::map<std::string, std::string> Attributes(const FakeCollector::Taken& span) {
    std::map<std::string, std::string> found;
    for (const auto& one : span.attributes()) {
      found[one.key()] =
          one.value().has_int_value() ? std::to_string(one.value().int_value()) : one.value().string_value();
    }
    return found;
  }

  SystemClock clock_;
  FakeCollector collector_;
  TestServer test_{clock_, {}, [this](Options& options) { options.tracing.endpoint = collector_.address(); }};
};

TEST_F(CallSpanTest, IsAChildOfItsCallers) {
  Ask({{"traceparent", kCallersTrace}, {"tracestate", "congo=t61"}, {"x-request-id", "mine"}});
  const FakeCollector::Taken span = Only(kGetJob);
  EXPECT_EQ(span.trace_id(), kTraceOfCaller);
  EXPECT_EQ(span.parent_span_id(), std::string("\x00\xf0\x67\xaa\x0b\xa9\x02\xb7", 8));
  EXPECT_EQ(span.trace_state(), "congo=t61");
  EXPECT_EQ(span.kind(), FakeCollector::Taken::SPAN_KIND_SERVER);
  EXPECT_LT(span.start_time_unix_nano(), span.end_time_unix_nano());
  EXPECT_FALSE(span.has_status()) << "the caller's mistake";
  const std::map<std::string, std::string> expected = {
      {"rpc.system", "grpc"},          {"rpc.service", "bitwright.v1.JobService"},
      {"rpc.method", "GetJob"},        {"rpc.grpc.status_code", "5"},
      {"error.type", "JOB_NOT_FOUND"}, {"bitwright.request_id", "mine"}};
  EXPECT_EQ(Attributes(span), expected);
}

TEST_F(CallSpanTest, BeginsATraceWithoutACaller) {
  Ask({});
  const FakeCollector::Taken span = Only(kGetJob);
  EXPECT_THAT(span.parent_span_id(), IsEmpty());
  EXPECT_THAT(span.trace_id(), SizeIs(16));
  EXPECT_THAT(span.span_id(), SizeIs(8));
}

TEST_F(CallSpanTest, TakesNoCallerThatIsMalformed) {
  Ask({{"traceparent", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"}, {"tracestate", "congo=t61"}});
  const FakeCollector::Taken span = Only(kGetJob);
  EXPECT_THAT(span.parent_span_id(), IsEmpty());
  EXPECT_THAT(span.trace_state(), IsEmpty());
  EXPECT_NE(span.trace_id(), kTraceOfCaller);
}

TEST_F(CallSpanTest, TakesNoneOfSeveralCallers) {
  Ask({{"traceparent", kCallersTrace}, {"traceparent", kCallersTrace}});
  EXPECT_THAT(Only(kGetJob).parent_span_id(), IsEmpty());
}

TEST_F(CallSpanTest, IsThereForStreamsOfOtherServices) {
  test_.calls->Put("bytes");
  EXPECT_EQ(Attributes(Only("google.bytestream.ByteStream/Write"))["rpc.grpc.status_code"], "0");
}

TEST_F(CallSpanTest, IsNotWrittenWhereTheCallerDoesNotSample) {
  std::string unsampled = kCallersTrace;
  unsampled.back() = '0';
  Ask({{"traceparent", unsampled}});
  test_.calls.reset();
  test_.server.reset();
  EXPECT_THAT(collector_.spans(), IsEmpty());
}

}  // namespace
}  // namespace bitwright::server
