// The service over TLS, with certificates that are made here.
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bitwright/v1/capabilities.grpc.pb.h"
#include "client/api/connection.h"
#include "proto/base/files.h"
#include "proto/transfer/channel.h"
#include "server/app/app_errors.h"
#include "tests/support/certificates.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/test_server.h"
#include "tests/unit/server/support/tokens.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    options_.data_dir = dir_ / "data";
    options_.listen = "127.0.0.1:0";
    options_.metrics_listen = "off";
    options_.workers = 0;
    options_.tls = {.certificate = dir_ / "cert", .key = dir_ / "key"};
    Write("ca", authority_.certificate());
    Serve(authority_.Issue("server"));
    Give("alice", authority_.Issue("alice"));
    Write("tokens", LineFor("alice", {"submitter"}) + "host default submitter certificate:alice\n");
    Write("alices-token", TokenOf("alice") + "\n");
  }

  void Write(const std::string& name, const std::string& text) {
    EXPECT_THAT(WritePrivateFile(dir_ / name, text, DataFileUnwritableError), IsOk());
  }
  void Serve(const TestIdentity& identity) {
    Write("cert", identity.certificate);
    Write("key", identity.key);
  }
  void Give(const std::string& name, const TestIdentity& identity) {
    Write(name + ".cert", identity.certificate);
    Write(name + ".key", identity.key);
  }
  void AskForTokens() { options_.tokens_file = dir_ / "tokens"; }
  void AskForCertificates() { options_.tls.client_ca = dir_ / "ca"; }
  void Start() {
    auto started = Server::Start(options_, clock_);
    BITWRIGHT_ASSERT_OK(started);
    server_ = *std::move(started);
  }

  Access Ca(const std::string& ca = "ca") const { return {.tls_ca = dir_ / ca}; }
  Access CaAndCertificate(const std::string& name) const {
    return {.tls_ca = dir_ / "ca", .tls_cert = dir_ / (name + ".cert"), .tls_key = dir_ / (name + ".key")};
  }
  Access CaAndToken(const std::string& file) const { return {.token_file = dir_ / file, .tls_ca = dir_ / "ca"}; }

  // A new connection, and what it is answered.
  absl::Status Ask(const Access& access) {
    auto connection = client::Connect({.address = server_->address(),
                                       .access = access,
                                       .retry = {.first = absl::Milliseconds(1), .give_up = absl::Milliseconds(500)}});
    if (!connection.ok()) return connection.status();
    return (*connection)->GetCapabilities({}).status();
  }

  SystemClock clock_;
  TempDir dir_;
  TestAuthority authority_;
  Options options_;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, AClientKnowsTheServerByItsAuthority) {
  Start();
  BITWRIGHT_EXPECT_OK(Ask(Ca()));
  EXPECT_THAT(Ask({}), HasReason("SERVER_UNREACHABLE")) << "plaintext";
  const TestAuthority other;
  Write("other-ca", other.certificate());
  EXPECT_THAT(Ask(Ca("other-ca")), HasReason("SERVER_UNREACHABLE"));
}

TEST_F(TlsTest, TheCertificateMustBeForTheAddress) {
  Serve(authority_.Issue("server", "DNS:elsewhere.example"));
  Start();
  EXPECT_THAT(Ask(Ca()), HasReason("SERVER_UNREACHABLE"));
}

TEST_F(TlsTest, TokensGoOverIt) {
  AskForTokens();
  Start();
  BITWRIGHT_EXPECT_OK(Ask(CaAndToken("alices-token")));
  EXPECT_THAT(Ask(Ca()), HasReason("CREDENTIALS_MISSING"));
  Write("wrong-token", "wrong");
  EXPECT_THAT(Ask(CaAndToken("wrong-token")), HasReason("CREDENTIALS_INVALID"));
}

TEST_F(TlsTest, ClientsMustHaveACertificateWhereOneIsAskedFor) {
  AskForCertificates();
  Start();
  BITWRIGHT_EXPECT_OK(Ask(CaAndCertificate("alice")));
  EXPECT_THAT(Ask(Ca()), HasReason("SERVER_UNREACHABLE"));
  const TestAuthority other;
  Give("mallory", other.Issue("alice"));
  EXPECT_THAT(Ask(CaAndCertificate("mallory")), HasReason("SERVER_UNREACHABLE"));
}

TEST_F(TlsTest, AVerifiedCertificateIsAPrincipal) {
  AskForTokens();
  AskForCertificates();
  Start();
  BITWRIGHT_EXPECT_OK(Ask(CaAndCertificate("alice")));
  Give("bob", authority_.Issue("bob"));
  EXPECT_THAT(Ask(CaAndCertificate("bob")), HasReason("CREDENTIALS_MISSING")) << "the file does not list him";
}

TEST_F(TlsTest, ACertificateThatNobodyVerifiedIsNone) {
  AskForTokens();
  Start();  // no --tls-client-ca
  EXPECT_THAT(Ask(CaAndCertificate("alice")), HasReason("CREDENTIALS_MISSING"));
}

TEST_F(TlsTest, RenewedCertificatesAreTakenUp) {
  Start();
  BITWRIGHT_ASSERT_OK(Ask(Ca()));
  const TestAuthority other;
  Write("other-ca", other.certificate());
  const TestIdentity renewed = other.Issue("server");
  // As long as the key is not that of the certificate, what was there serves.
  ::testing::internal::CaptureStderr();
  Write("cert", renewed.certificate);
  std::string log;
  while (log.find("TLS") == std::string::npos && log.find("stay in use") == std::string::npos) {
    BITWRIGHT_ASSERT_OK(Ask(Ca()));  // the test's timeout bounds this
    log += ::testing::internal::GetCapturedStderr();
    ::testing::internal::CaptureStderr();
  }
  EXPECT_THAT(log, HasSubstr("the key in '" + (dir_ / "key") + "' is not that of"));
  BITWRIGHT_EXPECT_OK(Ask(Ca()));
  Write("key", renewed.key);
  while (!Ask(Ca("other-ca")).ok()) {
  }
  ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(Ask(Ca()), HasReason("SERVER_UNREACHABLE")) << "the old ones are gone";
}

TEST_F(TlsTest, WrongFilesAreRefusedByNameBeforeAnythingListens) {
  const auto refused = [this](const char* reason, const std::string& names) {
    const auto started = Server::Start(options_, clock_);
    EXPECT_THAT(started, HasReason(reason));
    EXPECT_THAT(std::string(started.status().message()), HasSubstr(names));
  };
  options_.tls.key = "";
  refused("TLS_OPTIONS_INCOMPLETE", "--tls-cert is given without --tls-key");
  options_.tls = {.key = dir_ / "key"};
  refused("TLS_OPTIONS_INCOMPLETE", "--tls-key is given without --tls-cert");
  options_.tls = {.client_ca = dir_ / "ca"};
  refused("TLS_OPTIONS_INCOMPLETE", "--tls-client-ca is given without --tls-cert");
  options_.tls = {.certificate = dir_ / "none", .key = dir_ / "key"};
  refused("TLS_FILE_UNREADABLE", "'" + (dir_ / "none") + "' cannot be read: No such file");
  options_.tls = {.certificate = dir_ / "key", .key = dir_ / "key"};
  refused("TLS_FILE_INVALID", "'" + (dir_ / "key") + "', given as --tls-cert, holds no certificate");
  options_.tls = {.certificate = dir_ / "cert", .key = dir_ / "cert"};
  refused("TLS_FILE_INVALID", "given as --tls-key, holds no key");
  options_.tls = {.certificate = dir_ / "cert", .key = dir_ / "alice.key"};
  refused("TLS_KEY_MISMATCH", "'" + (dir_ / "alice.key") + "' is not that of the first certificate");
  options_.tls = {.certificate = dir_ / "cert", .key = dir_ / "key", .client_ca = dir_ / "key"};
  refused("TLS_FILE_INVALID", "given as --tls-client-ca, holds no certificate");
}

TEST_F(TlsTest, TheCopiesAreForThisUserAlone) {
  AskForCertificates();
  Start();
  for (const char* name : {"identity.pem", "client-ca.pem"}) {
    struct stat info {};
    ASSERT_EQ(::stat((dir_ / "data/tls/" + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
  server_.reset();
  options_.tls = {};
  Start();
  EXPECT_NE(::access((dir_ / "data/tls").c_str(), F_OK), 0) << "a server without TLS keeps no copies";
}

TEST_F(TlsTest, ThePortOfLocalWorkersIsForThemAlone) {
  Start();  // everybody is let in over TLS
  const std::string token = *ReadWholeFile(dir_ / "data/worker-token", DataFileUnwritableError);
  const auto ask = [this](const std::string& bearer) {
    const auto channel = OpenChannel(server_->worker_address());
    const auto stub = v1::CapabilityService::NewStub(*channel);
    const auto context = RawCalls::Context();
    if (!bearer.empty()) context->AddMetadata("authorization", "Bearer " + bearer);
    v1::Capabilities capabilities;
    return FromGrpc(stub->GetCapabilities(context.get(), {}, &capabilities));
  };
  EXPECT_THAT(server_->worker_address(), ::testing::StartsWith("127.0.0.1:"));
  EXPECT_THAT(ask(""), HasReason("CREDENTIALS_MISSING"));
  EXPECT_THAT(ask(TokenOf("alice")), HasReason("CREDENTIALS_INVALID"));
  BITWRIGHT_EXPECT_OK(ask(token.substr(0, token.size() - 1)));
}

}  // namespace
}  // namespace bitwright::server
