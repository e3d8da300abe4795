// What the audit log has of calls as clients make them.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bitwright/v1/jobs.grpc.pb.h"
#include "proto/base/files.h"
#include "server/app/app_errors.h"
#include "server/auth/page_peer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/test_server.h"
#include "tests/unit/server/support/tokens.h"

namespace bitwright::server {
namespace {

using nlohmann::json;

class AuditTest : public ::testing::Test {
 protected:
  AuditTest() {
    std::filesystem::create_directory(Folder());
    EXPECT_THAT(
        WritePrivateFile(dir_ / "tokens", LineFor("alice", {"submitter"}, "nlp") + LineFor("gpu", {"worker"}, "ops"),
                         DataFileUnwritableError),
        IsOk());
    server_ = std::make_unique<TestServer>(clock_, ServerFakes(), [&](Options& options) {
      options.tokens_file = dir_ / "tokens";
      options.audit_log = Folder() + "/audit";
    });
  }
  std::string Folder() const { return dir_ / "logs"; }

  template <typename Response, typename Stub, typename Method, typename Request>
  absl::Status Call(Stub& stub, Method method, const Request& request, const std::string& who) {
    Response response;
    const auto context = RawCalls::Context();
    context->AddMetadata("authorization", "Bearer " + TokenOf(who));
    context->AddMetadata("x-request-id", "call-of-" + who);
    return FromGrpc((stub.*method)(context.get(), request, &response));
  }
  absl::Status CancelJob(const std::string& who) {
    const auto jobs = v1::JobService::NewStub(server_->calls->channel);
    v1::CancelJobRequest request;
    request.set_name("jobs/none");
    return Call<v1::Job>(*jobs, &v1::JobService::Stub::CancelJob, request, who);
  }
  absl::Status Register(const std::string& who) {
    v1::RegisterWorkerRequest request;
    request.mutable_capacity()->set_compute_class("cpu-avx2");
    request.mutable_capacity()->set_code_version("1");
    request.mutable_capacity()->set_memory_bytes(1 << 30);
    request.mutable_capacity()->set_cores(1);
    request.mutable_capacity()->set_slots(1);
    request.mutable_capacity()->set_device("cpu");
    return Call<v1::RegisterWorkerResponse>(*server_->calls->workers, &v1::WorkerService::Stub::RegisterWorker, request,
                                            who);
  }
  std::vector<json> Lines() {
    std::vector<json> lines;
    std::ifstream file(Folder() + "/audit");
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    return lines;
  }

  SystemClock clock_;
  TempDir dir_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(AuditTest, ChangesAreWrittenWithTheirOutcome) {
  BITWRIGHT_ASSERT_OK(Register("gpu"));
  EXPECT_THAT(CancelJob("alice"), HasReason("JOB_NOT_FOUND"));
  EXPECT_THAT(CancelJob("gpu"), HasReason("ROLE_MISSING"));
  EXPECT_THAT(CancelJob("stranger"), HasReason("CREDENTIALS_INVALID"));
  const std::vector<json> lines = Lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["method"], "RegisterWorker");
  EXPECT_EQ(lines[0]["code"], "OK");
  EXPECT_EQ(lines[0]["principal"], "gpu");
  EXPECT_EQ(lines[0]["tenant"], "ops");
  EXPECT_THAT(lines[0]["resource"].get<std::string>(), ::testing::StartsWith("workers/")) << "what was made";
  EXPECT_EQ(lines[0]["request_id"], "call-of-gpu");
  EXPECT_EQ(lines[1]["resource"], "jobs/none") << "what was given";
  EXPECT_EQ(lines[1]["reason"], "JOB_NOT_FOUND");
  EXPECT_EQ(lines[1]["roles"], json::array({"submitter"}));
  EXPECT_EQ(lines[2]["reason"], "ROLE_MISSING");
  EXPECT_EQ(lines[2]["principal"], "gpu");
  EXPECT_EQ(lines[3]["code"], "UNAUTHENTICATED");
  EXPECT_EQ(lines[3]["principal"], "");
}

TEST_F(AuditTest, ReadingIsNotWritten) {
  const auto jobs = v1::JobService::NewStub(server_->calls->channel);
  BITWRIGHT_ASSERT_OK(
      Call<v1::ListJobsResponse>(*jobs, &v1::JobService::Stub::ListJobs, v1::ListJobsRequest(), "alice"));
  EXPECT_EQ(Lines().size(), 0u);
}

// Only the web page, which is in the process, may say who somebody is that it speaks for.
TEST_F(AuditTest, ACallFromTheNetworkCannotNameItsPeer) {
  const auto jobs = v1::JobService::NewStub(server_->calls->channel);
  v1::CancelJobRequest request;
  request.set_name("jobs/none");
  v1::Job response;
  const auto context = RawCalls::Context();
  context->AddMetadata("authorization", "Bearer " + TokenOf("alice"));
  context->AddMetadata(kPeerOfPage, "web:192.0.2.1:5");
  EXPECT_THAT(FromGrpc(jobs->CancelJob(context.get(), request, &response)), HasReason("JOB_NOT_FOUND"));
  ASSERT_EQ(Lines().size(), 1u);
  EXPECT_THAT(Lines()[0]["peer"].get<std::string>(), ::testing::StartsWith("unix:"));
}

TEST_F(AuditTest, NothingChangesWhileTheLogCannotBeWritten) {
  std::filesystem::rename(Folder(), dir_ / "away");
  const absl::Status refused = Register("gpu");
  EXPECT_THAT(refused, HasReason("AUDIT_UNWRITABLE"));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
  const auto jobs = v1::JobService::NewStub(server_->calls->channel);
  BITWRIGHT_EXPECT_OK(
      Call<v1::ListJobsResponse>(*jobs, &v1::JobService::Stub::ListJobs, v1::ListJobsRequest(), "alice"));
  v1::ListWorkersResponse workers;
  const auto context = RawCalls::Context();
  context->AddMetadata("authorization", "Bearer " + TokenOf("alice"));
  ASSERT_TRUE(server_->calls->workers->ListWorkers(context.get(), {}, &workers).ok());
  EXPECT_EQ(workers.workers_size(), 0) << "it was not run";
  std::filesystem::create_directory(Folder());
  BITWRIGHT_EXPECT_OK(Register("gpu"));
  EXPECT_EQ(Lines().size(), 1u);
}

}  // namespace
}  // namespace bitwright::server
