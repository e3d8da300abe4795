// Local workers of one machine share its memory.
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

TEST(LocalMemory, TogetherWorkersAnnounceAtMostTheMachines) {
  const TempDir dir;
  const SystemClock clock;
  Options options;
  options.data_dir = dir / "data";
  options.listen = "127.0.0.1:0";
  options.metrics_listen = "off";
  options.workers = 3;
  options.worker_threads = 1;
  options.worker_binary = WORKER_BINARY;
  ASSERT_OK_AND_ASSIGN(const auto server, Server::Start(options, clock));
  const auto stub =
      v1::WorkerService::NewStub(grpc::CreateChannel(server->address(), grpc::InsecureChannelCredentials()));
  std::vector<v1::Worker> workers;
  while (workers.size() < 3) workers = ListWorkers(*stub);  // the test's timeout bounds this
  int64_t announced = 0;
  for (const v1::Worker& worker : workers) {
    EXPECT_GT(worker.capacity().memory_bytes(), 0);
    announced += worker.capacity().memory_bytes();
  }
  EXPECT_LE(announced, MachineMemoryBytes());
  EXPECT_GT(announced, MachineMemoryBytes() / 2);
}

}  // namespace
}  // namespace bitwright::server
