// What KEDA asks, over gRPC: at the service's own address and at one for it alone.
#include "server/rpc/scaled_object.h"

#include <grpcpp/grpcpp.h>

#include <map>
#include <optional>

#include "bitwright/v1/jobs.grpc.pb.h"
#include "keda/externalscaler.grpc.pb.h"
#include "proto/base/errors.h"
#include "proto/base/files.h"
#include "server/app/app_errors.h"
#include "tests/support/certificates.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/test_server.h"
#include "tests/unit/server/support/tokens.h"

namespace bitwright::server {
namespace {

using externalscaler::ExternalScaler;
using ::testing::HasSubstr;

externalscaler::ScaledObjectRef Reference(const std::map<std::string, std::string>& metadata) {
  externalscaler::ScaledObjectRef reference;
  reference.set_name("workers");
  for (const auto& [key, value] : metadata) (*reference.mutable_scalermetadata())[key] = value;
  return reference;
}

TEST(ScaledObject, ADeviceIsEnough) {
  ASSERT_OK_AND_ASSIGN(const ScaledObject object,
                       ParseScaledObject(Reference({{"device", "cpu"}, {"scalerAddress", "host:7073"}})));
  EXPECT_EQ(object.pool.device, "cpu");
  EXPECT_EQ(object.pool.compute_class, "");
  EXPECT_TRUE(object.pool.counts_unpinned);
  EXPECT_EQ(object.tasks_per_worker, 1);
  EXPECT_EQ(object.MetricName(), "bitwright-tasks-cpu");
}

TEST(ScaledObject, EverythingIsRead) {
  ASSERT_OK_AND_ASSIGN(const ScaledObject object, ParseScaledObject(Reference({{"device", "cpu"},
                                                                               {"computeClass", "cpu-avx512"},
                                                                               {"countUnpinned", "false"},
                                                                               {"tasksPerWorker", "1000"}})));
  EXPECT_EQ(object.pool.compute_class, "cpu-avx512");
  EXPECT_FALSE(object.pool.counts_unpinned);
  EXPECT_EQ(object.tasks_per_worker, 1000);
  EXPECT_EQ(object.MetricName(), "bitwright-tasks-cpu-avx512");
}

TEST(ScaledObject, WhatIsWrongIsNamed) {
  const struct {
    std::map<std::string, std::string> metadata;
    const char *key, *message;
  } cases[] = {
      {{}, "device", "'device' is missing"},
      {{{"device", ""}}, "device", "'device' is ''"},
      {{{"device", "cpu-avx2"}}, "device", "such as cpu"},
      {{{"device", std::string(64, 'c')}}, "device", "such as cpu"},
      {{{"device", "cpu"}, {"computeClass", "AVX2"}}, "computeClass", "worker list"},
      {{{"device", "cpu"}, {"computeClass", "cuda-sm90"}}, "computeClass", "of device cpu"},
      {{{"device", "cpu"}, {"countUnpinned", "yes"}}, "countUnpinned", "true or false"},
      {{{"device", "cpu"}, {"tasksPerWorker", "0"}}, "tasksPerWorker", "from 1 to 1000"},
      {{{"device", "cpu"}, {"tasksPerWorker", "1001"}}, "tasksPerWorker", "from 1 to 1000"},
      {{{"device", "cpu"}, {"tasksPerWorker", "2x"}}, "tasksPerWorker", "from 1 to 1000"},
      {{{"device", "cpu"}, {"slots", "2"}}, "slots", "'slots' means nothing here"},
  };
  for (const auto& one : cases) {
    const absl::Status status = ParseScaledObject(Reference(one.metadata)).status();
    EXPECT_THAT(status, HasReason("SCALER_METADATA_INVALID")) << one.key;
    EXPECT_EQ(GetErrorDetail(status)->metadata.at("key"), one.key);
    EXPECT_THAT(std::string(status.message()), HasSubstr(one.message));
  }
}

class ScalerTest : public ::testing::Test {
 protected:
  void Start(const std::function<void(Options&)>& change) {
    server_ = std::make_unique<TestServer>(clock_, ServerFakes(), [&](Options& options) {
      options.scaler_listen = "127.0.0.1:0";
      change(options);
    });
  }
  void WriteTokens(Options& options) {
    options.tokens_file = files_ / "tokens";
    BITWRIGHT_ASSERT_OK(WritePrivateFile(options.tokens_file,
                                         LineFor("operator", {"operator"}) + LineFor("submitter", {"submitter"}),
                                         DataFileUnwritableError));
  }
  static std::unique_ptr<ExternalScaler::Stub> Stub(const std::shared_ptr<grpc::Channel>& channel) {
    return ExternalScaler::NewStub(channel);
  }
  std::shared_ptr<grpc::Channel> Plain() {
    return grpc::CreateChannel(server_->server->scaler_address(), grpc::InsecureChannelCredentials());
  }
  static absl::StatusOr<bool> IsActive(ExternalScaler::Stub& stub, const std::string& token = "") {
    const auto context = RawCalls::Context();
    if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
    externalscaler::IsActiveResponse response;
    const absl::Status status = FromGrpc(stub.IsActive(context.get(), Reference({{"device", "cpu"}}), &response));
    if (!status.ok()) return status;
    return response.result();
  }

  SystemClock clock_;
  TempDir files_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(ScalerTest, ItsOwnAddressAsksNobodyAndServesNothingElse) {
  Start([this](Options& options) { WriteTokens(options); });
  const auto channel = Plain();
  ASSERT_OK_AND_ASSIGN(const bool active, IsActive(*Stub(channel)));
  EXPECT_FALSE(active);
  const auto jobs = v1::JobService::NewStub(channel);
  const auto context = RawCalls::Context();
  context->AddMetadata("authorization", "Bearer " + TokenOf("submitter"));
  v1::ListJobsResponse response;
  EXPECT_THAT(FromGrpc(jobs->ListJobs(context.get(), {}, &response)), StatusIs(absl::StatusCode::kUnimplemented));
}

TEST_F(ScalerTest, TheServicesOwnAddressAsksForAnOperator) {
  Start([this](Options& options) { WriteTokens(options); });
  const auto stub = Stub(server_->calls->channel);
  EXPECT_THAT(IsActive(*stub), HasReason("CREDENTIALS_MISSING"));
  EXPECT_THAT(IsActive(*stub, TokenOf("submitter")), HasReason("ROLE_MISSING"));
  EXPECT_THAT(IsActive(*stub, TokenOf("operator")), IsOk());
}

TEST_F(ScalerTest, SpeaksTlsWhereTheServiceDoes) {
  const TestAuthority authority;
  Start([&](Options& options) {
    const TestIdentity server = authority.Issue("server");
    options.tls = {.certificate = files_ / "cert.pem", .key = files_ / "key.pem"};
    BITWRIGHT_ASSERT_OK(WritePrivateFile(options.tls.certificate, server.certificate, DataFileUnwritableError));
    BITWRIGHT_ASSERT_OK(WritePrivateFile(options.tls.key, server.key, DataFileUnwritableError));
  });
  grpc::ClientContext impatient;  // does not wait for a server that understands it
  externalscaler::IsActiveResponse response;
  EXPECT_THAT(FromGrpc(Stub(Plain())->IsActive(&impatient, Reference({{"device", "cpu"}}), &response)),
              StatusIs(absl::StatusCode::kUnavailable));
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = authority.certificate();
  const auto encrypted = grpc::CreateChannel(server_->server->scaler_address(), grpc::SslCredentials(options));
  EXPECT_THAT(IsActive(*Stub(encrypted)), IsOk());
}

TEST_F(ScalerTest, IsNotPublicInPlaintext) {
  Options options;
  options.data_dir = files_ / "data";
  options.workers = 0;
  options.scaler_listen = "0.0.0.0:0";
  const auto refused = Server::Start(options, clock_);
  EXPECT_THAT(refused, HasReason("PUBLIC_PLAINTEXT_REFUSED"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("which takes --tls-cert FILE --tls-key FILE; give"));
}

TEST_F(ScalerTest, AnAddressThatIsTakenIsRefusedByName) {
  Start([](Options&) {});
  Options options;
  options.data_dir = files_ / "data";
  options.listen = "unix:" + (files_ / "socket");
  options.workers = 0;
  options.scaler_listen = server_->server->scaler_address();
  const auto refused = Server::Start(options, clock_);
  EXPECT_THAT(refused, HasReason("SCALER_LISTEN_FAILED"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("give another --scaler-listen"));
}

TEST_F(ScalerTest, AStreamEndsWithTheServer) {
  Start([](Options&) {});
  const auto stub = Stub(Plain());
  const auto context = RawCalls::Context();
  const auto stream = stub->StreamIsActive(context.get(), Reference({{"device", "cpu"}}));
  externalscaler::IsActiveResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_FALSE(response.result());
  server_->server->Drain();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_THAT(FromGrpc(stream->Finish()), HasReason("SERVER_DRAINING"));
}

TEST_F(ScalerTest, AnotherMetricIsRefused) {
  Start([](Options&) {});
  const auto stub = Stub(Plain());
  externalscaler::GetMetricsRequest request;
  *request.mutable_scaledobjectref() = Reference({{"device", "cpu"}});
  request.set_metricname("queue");
  const auto context = RawCalls::Context();
  externalscaler::GetMetricsResponse response;
  const absl::Status refused = FromGrpc(stub->GetMetrics(context.get(), request, &response));
  EXPECT_THAT(refused, HasReason("SCALER_METRIC_UNKNOWN"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("'bitwright-tasks-cpu'"));
}

}  // namespace
}  // namespace bitwright::server
