// Local workers of one machine share its memory.
#include <functional>

#include "bitwright/v1/workers.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "proto/base/clock.h"
#include "proto/base/machine_memory.h"
#include "server/app/server.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

std::vector<v1::Worker> ListWorkers(v1::WorkerService::Stub& stub) {
  grpc::ClientContext context;
  v1::ListWorkersResponse response;
  const grpc::Status status = stub.ListWorkers(&context, {}, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return {response.workers().begin(), response.workers().end()};
}

// What three local workers announce together.
int64_t Announced(const std::function<void(Options&)>& change = nullptr) {
  const TempDir dir;
  const SystemClock clock;
  Options options;
  options.data_dir = dir / "data";
  options.listen = "127.0.0.1:0";
  options.metrics_listen = "off";
  options.workers = 3;
  options.worker_threads = 1;
  options.worker_binary = WORKER_BINARY;
  if (change) change(options);
  const auto server = Server::Start(options, clock);
  EXPECT_THAT(server, IsOk());
  const auto stub =
      v1::WorkerService::NewStub(grpc::CreateChannel((*server)->address(), grpc::InsecureChannelCredentials()));
  std::vector<v1::Worker> workers;
  while (workers.size() < 3) workers = ListWorkers(*stub);  // the test's timeout bounds this
  int64_t announced = 0;
  for (const v1::Worker& worker : workers) {
    EXPECT_GT(worker.capacity().memory_bytes(), 0);
    announced += worker.capacity().memory_bytes();
  }
  return announced;
}

TEST(LocalMemory, TogetherWorkersAnnounceAtMostTheMachines) {
  const int64_t announced = Announced();
  EXPECT_LE(announced, MachineMemoryBytes());
  EXPECT_GT(announced, MachineMemoryBytes() / 2);
}

TEST(LocalMemory, OrWhatTheOptionSays) {
  constexpr int64_t kAll = int64_t{3} << 30;
  const int64_t announced = Announced([](Options& options) { options.worker_memory_bytes = kAll; });
  EXPECT_LE(announced, kAll);
  EXPECT_GT(announced, kAll / 2);
}

}  // namespace
}  // namespace bitwright::server
