// Who may call what, asked of every method that the server has: one that is added without a rule fails here.
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include "bitwright/v1/jobs.grpc.pb.h"
#include "client/api/client.h"
#include "proto/base/files.h"
#include "server/app/app_errors.h"
#include "server/rpc/rpc_server.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/test_server.h"
#include "tests/unit/server/support/tokens.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The whole answer to a call of any kind with an empty message.
absl::Status CallEmpty(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                       const std::string& authorization) {
  grpc::GenericStub stub(channel);
  const auto context = RawCalls::Context();
  if (!authorization.empty()) context->AddMetadata("authorization", authorization);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(context.get(), method, &queue);
  int step = 0;
  const auto finished = [&queue] {
    void* tag = nullptr;
    bool ok = false;  // false where the server has answered already
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return ok;
  };
  call->StartCall(&step);
  finished();
  const grpc::Slice empty;
  const grpc::ByteBuffer nothing(&empty, 1);
  call->WriteLast(nothing, grpc::WriteOptions(), &step);
  finished();
  grpc::ByteBuffer answer;
  do {
    call->Read(&answer, &step);
  } while (finished());
  grpc::Status status;
  call->Finish(&status, &step);
  finished();
  return FromGrpc(status);
}

class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    EXPECT_THAT(WritePrivateFile(tokens_.path() + "/tokens",
                                 LineFor("submitter", {"submitter"}) + LineFor("operator", {"operator"}) +
                                     LineFor("worker", {"worker"}),
                                 DataFileUnwritableError),
                IsOk());
    server_ = std::make_unique<TestServer>(clock_, ServerFakes(),
                                           [&](Options& options) { options.tokens_file = tokens_.path() + "/tokens"; });
  }

  absl::Status Call(const std::string& method, const std::string& authorization) {
    return CallEmpty(server_->calls->channel, method, authorization);
  }

  // "/bitwright.v1.JobService/CreateJob" of all services that the server has, but for health and reflection.
  static std::vector<std::string> Methods() {
    std::vector<std::string> methods;
    for (const char* name : ServiceNames()) {
      const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
      EXPECT_NE(service, nullptr) << name;
      for (int i = 0; i < service->method_count(); ++i) {
        methods.push_back("/" + service->full_name() + "/" + service->method(i)->name());
      }
    }
    return methods;
  }

  SystemClock clock_;
  TempDir tokens_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(AccessTest, NobodyGetsInWithoutAToken) {
  const std::vector<std::string> methods = Methods();
  ASSERT_GT(methods.size(), 20u);
  for (const std::string& method : methods) {
    EXPECT_THAT(Call(method, ""), HasReason("CREDENTIALS_MISSING")) << method;
    EXPECT_THAT(Call(method, "Basic " + TokenOf("worker")), HasReason("CREDENTIALS_MISSING")) << method;
    const absl::Status wrong = Call(method, "Bearer wrong");
    EXPECT_THAT(wrong, HasReason("CREDENTIALS_INVALID")) << method;
    EXPECT_THAT(wrong, StatusIs(absl::StatusCode::kUnauthenticated)) << method;
  }
}

TEST_F(AccessTest, EveryMethodHasARoleThatIsNotEnough) {
  for (const std::string& method : Methods()) {
    int refused = 0;
    for (const char* role : {"submitter", "operator", "worker"}) {
      const absl::Status status = Call(method, "Bearer " + TokenOf(role));
      EXPECT_NE(status.code(), absl::StatusCode::kUnauthenticated) << method;
      EXPECT_NE(status.code(), absl::StatusCode::kUnimplemented) << method;
      if (absl::IsPermissionDenied(status)) {
        ++refused;
        EXPECT_THAT(status, HasReason("ROLE_MISSING")) << method;
      }
    }
    // What the server can do is for everybody who may call at all.
    const bool all = method == "/bitwright.v1.CapabilityService/GetCapabilities";
    EXPECT_EQ(refused > 0, !all) << method;
    EXPECT_LT(refused, 3) << method << " is for nobody";
  }
}

TEST_F(AccessTest, RolesAreWhatTheirNamesSay) {
  const auto allowed = [this](const std::string& method, const std::string& who) {
    return !absl::IsPermissionDenied(Call("/bitwright.v1." + method, "Bearer " + TokenOf(who)));
  };
  EXPECT_TRUE(allowed("JobService/CreateJob", "submitter"));
  EXPECT_FALSE(allowed("JobService/CreateJob", "worker"));
  EXPECT_FALSE(allowed("JobService/WatchJob", "worker"));
  EXPECT_FALSE(allowed("WorkerService/LeaseTask", "submitter"));
  EXPECT_TRUE(allowed("WorkerService/LeaseTask", "worker"));
  EXPECT_TRUE(allowed("WorkerService/ListWorkers", "operator"));
}

TEST_F(AccessTest, ARefusalDoesNotSayWhatThereIs) {
  const auto jobs = v1::JobService::NewStub(server_->calls->channel);
  v1::GetJobRequest request;
  request.set_name("jobs/secret");
  v1::Job job;
  const auto context = RawCalls::Context();
  const absl::Status refused = FromGrpc(jobs->GetJob(context.get(), request, &job));
  EXPECT_THAT(refused, HasReason("CREDENTIALS_MISSING"));
  EXPECT_THAT(refused.ToString(), Not(HasSubstr("secret")));
}

TEST_F(AccessTest, ATokenThatWasReplacedIsReadAgainOnce) {
  const std::string file = tokens_ / "own";
  BITWRIGHT_ASSERT_OK(WritePrivateFile(file, "expired\n", DataFileUnwritableError));
  ASSERT_OK_AND_ASSIGN(const auto connection,
                       client::Connect({.address = server_->server->address(), .access = {.token_file = file}}));
  EXPECT_THAT(connection->ListJobs({}), HasReason("CREDENTIALS_INVALID")) << "final, and at once";
  BITWRIGHT_ASSERT_OK(WritePrivateFile(file, TokenOf("submitter") + "\n", DataFileUnwritableError));
  BITWRIGHT_EXPECT_OK(connection->ListJobs({}));
  BITWRIGHT_ASSERT_OK(WritePrivateFile(file, "wrong again\n", DataFileUnwritableError));
  BITWRIGHT_EXPECT_OK(connection->ListJobs({})) << "nobody refused the one it has";
}

TEST_F(AccessTest, TransfersAndStreamsCarryTheToken) {
  const std::string file = tokens_ / "own";
  BITWRIGHT_ASSERT_OK(WritePrivateFile(file, TokenOf("submitter"), DataFileUnwritableError));
  ASSERT_OK_AND_ASSIGN(
      auto library, client::Client::ConnectTo({.address = server_->server->address(), .access = {.token_file = file}}));
  ASSERT_OK_AND_ASSIGN(const BlobDigest digest, library.UploadFile(file));
  v1::Manifest manifest;
  v1::FileEntry* entry = manifest.add_files();
  entry->set_path("copy");
  *entry->mutable_digest() = ToProto(digest);
  BITWRIGHT_EXPECT_OK(library.DownloadArtifact(manifest, tokens_ / "out"));
  EXPECT_THAT(library.WatchJob("jobs/none", nullptr), HasReason("JOB_NOT_FOUND"));
}

TEST_F(AccessTest, HealthAndReflectionArePublic) {
  BITWRIGHT_EXPECT_OK(Call("/grpc.health.v1.Health/Check", ""));
  BITWRIGHT_EXPECT_OK(Call("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", ""));
}

TEST_F(AccessTest, TheTokenOfLocalWorkersIsAFileOfThisUserAlone) {
  const std::string path = server_->dir / "data/worker-token";
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  std::string token = *ReadWholeFile(path, DataFileUnwritableError);
  token.pop_back();
  EXPECT_FALSE(absl::IsPermissionDenied(Call("/bitwright.v1.WorkerService/LeaseTask", "Bearer " + token)));
  EXPECT_THAT(Call("/bitwright.v1.JobService/ListJobs", "Bearer " + token), HasReason("ROLE_MISSING"));
}

}  // namespace
}  // namespace bitwright::server
