#include "proto/transfer/channel.h"

#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

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
  EXPECT_TRUE(
      OpenChannel(service.address())->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(20)));
}

}  // namespace
}  // namespace bitwright
