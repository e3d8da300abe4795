// What the log and the metrics say of a call.
#include "bitwright/v1/jobs.grpc.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/test_server.h"

namespace bitwright::server {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class CallLogTest : public ::testing::Test {
 protected:
  ~CallLogTest() override { SetMinLogSeverity(LogSeverity::kInfo); }

  // Asks for a job that is not there; what was logged meanwhile.
  std::string Refused(const std::string& request_id) {
    const auto jobs = v1::JobService::NewStub(test_.calls->channel);
    const auto context = RawCalls::Context();
    if (!request_id.empty()) context->AddMetadata("x-request-id", request_id);
    v1::GetJobRequest request;
    request.set_name("jobs/none");
    v1::Job job;
    ::testing::internal::CaptureStderr();
    EXPECT_THAT(FromGrpc(jobs->GetJob(context.get(), request, &job)), HasReason("JOB_NOT_FOUND"));
    const auto& trailing = context->GetServerTrailingMetadata();
    const auto id = trailing.find("x-request-id");
    answered_id_ = id == trailing.end() ? "" : std::string(id->second.data(), id->second.size());
    return ::testing::internal::GetCapturedStderr();
  }

  SystemClock clock_;
  TestServer test_{clock_};
  std::string answered_id_;
};

TEST_F(CallLogTest, ARefusalHasMethodCodeSecondsRequestAndPeer) {
  EXPECT_THAT(Refused("from-the-caller"),
              ContainsRegex("call refused: .*method=GetJob code=NOT_FOUND seconds=[0-9.e-]+ "
                            "request_id=from-the-caller principal=anonymous peer=unix:"));
  EXPECT_EQ(answered_id_, "from-the-caller");
  EXPECT_THAT(Refused(""), ContainsRegex("request_id=[0-9a-f]+ "));
  EXPECT_THAT(answered_id_, ::testing::MatchesRegex("[0-9a-f]+"));
}

TEST_F(CallLogTest, ALongIdIsCut) {
  EXPECT_THAT(Refused(std::string(500, 'i')),
              HasSubstr("request_id=" + std::string(64, 'i') + " principal=anonymous peer="));
}

TEST_F(CallLogTest, GoodCallsAreLoggedForDebuggingOnly) {
  ::testing::internal::CaptureStderr();
  test_.calls->Register();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("RegisterWorker")));
  SetMinLogSeverity(LogSeverity::kDebug);
  ::testing::internal::CaptureStderr();
  test_.calls->Register();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("call method=RegisterWorker code=OK"));
}

TEST_F(CallLogTest, AWaitForWorkIsNoLatency) {
  const std::string worker = test_.calls->Register();
  EXPECT_FALSE(test_.calls->Lease(worker, 0).has_value());
  const std::string text = test_.server->metrics_text();
  EXPECT_THAT(text, HasSubstr("bitwright_rpcs_total{code=\"OK\",method=\"LeaseTask\"} 1"));
  EXPECT_THAT(text, HasSubstr("bitwright_rpc_stream_seconds_count{method=\"LeaseTask\"} 1"));
  EXPECT_THAT(text, HasSubstr("bitwright_rpc_streams_open{method=\"LeaseTask\"} 0"));
  EXPECT_THAT(text, HasSubstr("bitwright_rpc_seconds_count{method=\"RegisterWorker\"} 1"));
  EXPECT_THAT(text, Not(HasSubstr("bitwright_rpc_seconds_count{method=\"LeaseTask\"}")));
  EXPECT_THAT(text, HasSubstr("bitwright_build_info{grpc=\"1."));
}

}  // namespace
}  // namespace bitwright::server
