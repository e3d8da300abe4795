#include "client/api/foreign_status.h"

#include "client/api/connection.h"
#include "google/rpc/status.pb.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake/fake_service.h"
#include "tests/unit/proto/transfer/test_clock.h"

namespace bitwright::client {
namespace {

// A reason, and a sentence with a remedy after a semicolon.
void ExpectWhole(const absl::Status& status, int code) {
  EXPECT_FALSE(ErrorReason(status).empty()) << code;
  const std::string message(status.message());
  EXPECT_GE(message.size(), 40u) << code << ": " << message;
  EXPECT_NE(message.find("; "), std::string::npos) << code << ": " << message;
}

TEST(ForeignStatus, EveryCodeGetsReasonSentenceAndRemedy) {
  for (int code = 1; code <= 16; ++code) {
    for (const char* said : {"", "stream removed"}) {
      const absl::Status status = WithReason("h:1", absl::Status(static_cast<absl::StatusCode>(code), said));
      ExpectWhole(status, code);
      EXPECT_NE(status.message().find(said), absl::string_view::npos);
      EXPECT_NE(status.message().find("h:1"), absl::string_view::npos);
      EXPECT_FALSE(absl::IsCancelled(status)) << "nobody here has cancelled anything";
    }
  }
}

TEST(ForeignStatus, WhatIsWholeStays) {
  EXPECT_THAT(WithReason("h:1", absl::OkStatus()), IsOk());
  const absl::Status own = MakeError(absl::StatusCode::kNotFound, "JOB_NOT_FOUND", "no job x", {{"job", "x"}});
  EXPECT_EQ(WithReason("h:1", own), own);
  const absl::Status silent = WithReason("h:1", MakeError(absl::StatusCode::kNotFound, "JOB_NOT_FOUND", ""));
  EXPECT_THAT(silent, HasReason("JOB_NOT_FOUND"));
  ExpectWhole(silent, 5);
}

TEST(ForeignStatus, ThatOfAJobIsAnErrorInAnyCase) {
  EXPECT_THAT(WithReason(google::rpc::Status()), HasReason("JOB_FAILED"));
  google::rpc::Status unknown;
  unknown.set_code(2);
  ExpectWhole(WithReason(unknown), 2);
}

// Over the wire: an empty status of any code, as a proxy or a parser makes it.
TEST(ForeignStatus, NothingComesOutOfAConnectionWithoutReason) {
  FakeService service;
  TestClock clock;
  for (int code = 1; code <= 16; ++code) {
    service.plan.failing_calls = 1000;
    service.plan.fail_code = code;
    ASSERT_OK_AND_ASSIGN(
        const auto connection,
        Connect({.address = service.address(), .retry = {.give_up = absl::Milliseconds(1)}, .clock = &clock}));
    v1::GetJobRequest request;
    request.set_name("jobs/j1");
    const auto job = connection->GetJob(request);
    ASSERT_FALSE(job.ok()) << code;
    ExpectWhole(job.status(), code);
  }
}

}  // namespace
}  // namespace bitwright::client
