// A disk that runs full: uploads are refused, all else goes on, and health checks are told.
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <vector>

#include "absl/synchronization/notification.h"
#include "proto/base/errors.h"
#include "proto/contract/names.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/test_server.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

// The bytes of a HealthCheckResponse.
const std::string kServing("\x08\x01", 2);
const std::string kNotServing("\x08\x02", 2);

std::string Health(RawCalls& calls) {
  grpc::GenericStub stub(calls.channel);
  const auto context = RawCalls::Context();
  const grpc::Slice nothing("", 0);
  const grpc::ByteBuffer request(&nothing, 1);
  grpc::ByteBuffer response;
  absl::Notification done;
  stub.UnaryCall(context.get(), "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &response,
                 [&](const grpc::Status& status) {
                   EXPECT_TRUE(status.ok()) << status.error_message();
                   done.Notify();
                 });
  done.WaitForNotification();
  std::vector<grpc::Slice> slices;  // even two bytes may come in two
  EXPECT_TRUE(response.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

TEST(DiskFull, RefusesUploadsAloneAndTurnsHealth) {
  std::atomic<int64_t> free{1000};
  SystemClock clock;
  const DiskProbe probe = [&free] { return DiskSpace{.free_bytes = free, .total_bytes = 10000}; };
  TestServer test(clock, {.disk_probe = probe}, [](Options& options) {
    options.disk_low = {.bytes = 200};
    options.disk_full = {.bytes = 100};
  });
  const BlobDigest held = test.calls->Put("held");
  EXPECT_EQ(Health(*test.calls), kServing);
  free = 99;
  while (Health(*test.calls) != kNotServing) {  // the server looks each second
  }
  const BlobDigest more = DigestOf("more");
  const absl::Status refused = test.calls->Upload("u", more, "more").status();
  EXPECT_THAT(refused, HasReason("DISK_FULL"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("99 bytes free"));
  EXPECT_EQ(*test.calls->Read(ReadName(held)), "held");
  EXPECT_THAT(test.calls->Upload("v", held, "held"), IsOk()) << "what is held needs no room";
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_worker(test.calls->Register());
  BITWRIGHT_EXPECT_OK(
      test.calls->Call<v1::HeartbeatResponse>(*test.calls->workers, &v1::WorkerService::Stub::Heartbeat, heartbeat));
  EXPECT_THAT(test.server->metrics_text(), HasSubstr("bitwright_disk_free_bytes 99"));
  free = 1000;
  while (Health(*test.calls) != kServing) {
  }
  BITWRIGHT_EXPECT_OK(test.calls->Upload("u", more, "more"));
}

}  // namespace
}  // namespace bitwright::server
