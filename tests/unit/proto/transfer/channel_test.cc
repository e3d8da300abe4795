#include "proto/transfer/channel.h"

#include <arpa/inet.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>

#include "proto/base/files.h"
#include "proto/base/owned_fd.h"
#include "proto/transfer/access_errors.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake/fake_service.h"

namespace bitwright {
namespace {

TEST(Channel, KnowsWhatDoesNotLeaveTheMachine) {
  for (const char* address :
       {"unix:/tmp/socket", "unix-abstract:x", "127.0.0.1:7071", "127.4.5.6:1", "localhost:7071", "localhost",
        "[::1]:7071", "::1", "0.0.0.0:7071", "[::]:7071", "dns:///localhost:1", "ipv4:127.0.0.1:1", "ipv6:[::1]:1"}) {
    EXPECT_TRUE(IsOnThisMachine(address)) << address;
  }
  for (const char* address : {"", "example.org:7071", "10.0.0.1:1", "127.example.org:1", "localhost.example.org:1",
                              "[fe80::1]:1", "dns:///example.org:1", "fe80::1"}) {
    EXPECT_FALSE(IsOnThisMachine(address)) << address;
  }
}

// Sets a variable for a scope.
class WithVariable {
 public:
  WithVariable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~WithVariable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

TEST(Channel, LoopbackIgnoresProxies) {
  client::FakeService service;
  const WithVariable proxy("http_proxy", "http://127.0.0.1:1");  // nobody listens there
  ASSERT_OK_AND_ASSIGN(const auto channel, OpenChannel(service.address()));
  EXPECT_TRUE(channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(20)));
}

// Takes connections and says nothing on them, like a server that is far away or busy.
class SilentServer {
 public:
  SilentServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ::ntohs(address.sin_port);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  OwnedFd Accept() const { return OwnedFd(::accept(listener_.get(), nullptr, nullptr)); }

 private:
  OwnedFd listener_;
  int port_ = 0;
};

// Whether the other side hangs up within that time.
bool HangsUp(const OwnedFd& connection, int millis) {
  pollfd watched = {.fd = connection.get(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&watched, 1, millis) > 0;
}

TEST(Channel, AnAttemptOutlastsTheFirstPauses) {
  const SilentServer server;
  ASSERT_OK_AND_ASSIGN(const auto channel, OpenChannel(server.address()));
  channel->GetState(/*try_to_connect=*/true);
  const OwnedFd connection = server.Accept();
  ASSERT_GE(connection.get(), 0);
  EXPECT_FALSE(HangsUp(connection, 1000)) << "a handshake may take longer";
}

class AccessTest : public ::testing::Test {
 protected:
  std::string Written(const std::string& name, const std::string& text) {
    EXPECT_THAT(WritePrivateFile(dir_ / name, text, AccessFileUnreadableError), IsOk());
    return dir_ / name;
  }
  TempDir dir_;
  const std::string token_ = Written("token", "bw_1\n");
  const std::string pem_ = Written("pem", "-----BEGIN CERTIFICATE-----\n");
};

TEST_F(AccessTest, ATokenDoesNotLeaveTheMachineInClear) {
  for (const char* address : {"example.org:7071", "10.0.0.1:1", "dns:///example.org:1"}) {
    const auto refused = OpenChannel(address, {.token_file = token_});
    EXPECT_THAT(refused, HasReason("TOKEN_NEEDS_TLS")) << address;
    EXPECT_THAT(std::string(refused.status().message()), ::testing::HasSubstr("--tls-ca"));
    EXPECT_THAT(OpenChannel(address, {.token_file = token_, .tls_ca = pem_}), IsOk());
    EXPECT_THAT(OpenChannel(address, {.token_file = token_, .tls_ca = kSystemCa}), IsOk());
    EXPECT_THAT(OpenChannel(address), IsOk()) << "nothing is shown";
  }
  EXPECT_THAT(OpenChannel("127.0.0.1:1", {.token_file = token_}), IsOk());
  EXPECT_THAT(OpenChannel("unix:/s", {.token_file = token_}), IsOk());
}

TEST_F(AccessTest, WhatIsMissingOrWrongIsNamed) {
  EXPECT_THAT(OpenChannel("h:1", {.token_file = dir_ / "none", .tls_ca = pem_}), HasReason("ACCESS_FILE_UNREADABLE"));
  EXPECT_THAT(OpenChannel("h:1", {.tls_ca = dir_ / "none"}), HasReason("ACCESS_FILE_UNREADABLE"));
  EXPECT_THAT(OpenChannel("h:1", {.tls_ca = token_}), HasReason("TLS_FILE_INVALID"));
  EXPECT_THAT(OpenChannel("h:1", {.tls_ca = pem_, .tls_cert = pem_}), HasReason("TLS_OPTIONS_INCOMPLETE"));
  EXPECT_THAT(OpenChannel("h:1", {.tls_ca = pem_, .tls_key = pem_}), HasReason("TLS_OPTIONS_INCOMPLETE"));
  EXPECT_THAT(OpenChannel("h:1", {.tls_cert = pem_, .tls_key = pem_}), HasReason("TLS_OPTIONS_INCOMPLETE"));
  EXPECT_THAT(OpenChannel("h:1", {.tls_ca = pem_, .tls_cert = pem_, .tls_key = token_}), HasReason("TLS_FILE_INVALID"));
}

}  // namespace
}  // namespace bitwright
