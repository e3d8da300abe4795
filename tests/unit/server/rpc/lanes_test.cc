// Calls of one lane get through while another lane is stuck.
#include "server/rpc/lanes.h"

#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "bitwright/v1/capabilities.grpc.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/test_server.h"

namespace bitwright::server {
namespace {

// Holds up every thread that reads back what an upload left, until it is opened.
class Gate {
 public:
  DiskFault Fault() {
    return [this](std::string_view operation, const std::string&) {
      if (operation != "read") return 0;
      absl::MutexLock lock(&mutex_);
      ++waiting_;
      mutex_.Await(absl::Condition(&open_));
      return 0;
    };
  }
  void WaitUntilHeld(int threads) {
    absl::MutexLock lock(&mutex_);
    const auto held = [this, threads]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return waiting_ >= threads; };
    mutex_.Await(absl::Condition(&held));
  }
  void Open() {
    absl::MutexLock lock(&mutex_);
    open_ = true;
  }

 private:
  absl::Mutex mutex_;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

class LanesTest : public ::testing::Test {
 protected:
  static constexpr int kUploads = 16;
  static std::string Data(int i) { return std::string(3'000'000, static_cast<char>('a' + i)); }
  static std::string Uuid(int i) { return "resumed-" + std::to_string(i); }

  // Sixteen large uploads are taken up again, and every thread of their lane is stuck.
  void SetUp() override {
    for (int i = 0; i < kUploads; ++i) {
      BITWRIGHT_ASSERT_OK(
          test_.calls->Upload(Uuid(i), DigestOf(Data(i)), Data(i).substr(0, 2'500'000), 0, /*finish=*/false));
    }
    for (int i = 0; i < kUploads; ++i) {
      threads_.emplace_back([this, i] {
        RawCalls own(test_.server->address());
        EXPECT_THAT(own.Upload(Uuid(i), DigestOf(Data(i)), Data(i).substr(2'500'000), 2'500'000), IsOk());
      });
    }
    gate_.WaitUntilHeld(kBulkLane.threads);
    const std::string rest = "bitwright_lane_depth{lane=\"bulk\"} " + std::to_string(kUploads - kBulkLane.threads);
    while (test_.server->metrics_text().find(rest + "\n") == std::string::npos) {  // they are on their way
    }
  }
  void TearDown() override {
    gate_.Open();
    for (std::thread& thread : threads_) thread.join();
  }

  SystemClock clock_;
  Gate gate_;
  TestServer test_{clock_, {.disk_fault = gate_.Fault()}};
  std::vector<std::thread> threads_;
};

TEST_F(LanesTest, HeartbeatsAndControlPassResumedUploads) {
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_worker(test_.calls->Register());
  BITWRIGHT_EXPECT_OK(
      test_.calls->Call<v1::HeartbeatResponse>(*test_.calls->workers, &v1::WorkerService::Stub::Heartbeat, heartbeat));
  const auto capabilities = v1::CapabilityService::NewStub(test_.calls->channel);
  BITWRIGHT_EXPECT_OK(test_.calls->Call<v1::Capabilities>(*capabilities, &v1::CapabilityService::Stub::GetCapabilities,
                                                          v1::GetCapabilitiesRequest()));
}

TEST_F(LanesTest, AFullLaneRefusesWithItsNameAndLimit) {
  struct Pending {
    std::unique_ptr<grpc::ClientContext> context = RawCalls::Context(60);
    v1::FindMissingBlobsResponse response;
    absl::Status status;
  };
  std::vector<Pending> calls(kBulkLane.most_waiting);
  const v1::FindMissingBlobsRequest request;
  absl::BlockingCounter left(static_cast<int>(calls.size()));
  absl::Mutex mutex;
  absl::Status refused;
  for (Pending& call : calls) {
    test_.calls->blobs->async()->FindMissingBlobs(call.context.get(), &request, &call.response,
                                                  [&](const grpc::Status& answer) {
                                                    {
                                                      absl::MutexLock lock(&mutex);
                                                      if (!answer.ok()) refused = FromGrpc(answer);
                                                    }
                                                    left.DecrementCount();
                                                  });
  }
  {
    absl::MutexLock lock(&mutex);
    const auto any = [&refused] { return !refused.ok(); };
    mutex.Await(absl::Condition(&any));
    EXPECT_THAT(refused, HasReason("LANE_FULL"));
    EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("lane 'bulk' has 256 waiting calls"));
  }
  gate_.Open();
  left.Wait();
}

}  // namespace
}  // namespace bitwright::server
