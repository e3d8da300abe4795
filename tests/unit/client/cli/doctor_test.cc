#include "client/cli/doctor.h"

#include <gmock/gmock.h>

#include <sstream>

#include "client/cli/run.h"
#include "client/cli/version.h"
#include "tests/unit/client/fake/fake_service.h"

namespace bitwright::client {
namespace {

using ::testing::HasSubstr;
using State = Finding::State;

v1::Worker Worker(int64_t memory_gib, int slots = 1) {
  v1::Worker worker;
  worker.set_state(v1::Worker::ACTIVE);
  worker.mutable_capacity()->set_compute_class("cpu-avx512");
  worker.mutable_capacity()->set_code_version("1");
  worker.mutable_capacity()->set_cores(4);
  worker.mutable_capacity()->set_slots(slots);
  worker.mutable_capacity()->set_memory_bytes(memory_gib << 30);
  return worker;
}

TEST(Doctor, AServerWithoutAWorkerThatTakesWorkIsAtFault) {
  EXPECT_EQ(CheckWorkers({}).front().state, State::kFault);
  std::vector<v1::Worker> workers = {Worker(8)};
  workers[0].set_state(v1::Worker::CORDONED);
  EXPECT_THAT(CheckWorkers(workers).front().text, HasSubstr("uncordon"));
  workers.push_back(Worker(8, 2));
  const std::vector<Finding> findings = CheckWorkers(workers);
  ASSERT_EQ(findings.size(), 2);
  EXPECT_EQ(findings[0].state, State::kGood);
  EXPECT_EQ(findings[0].text, "1 of class cpu-avx512 with 2 slots");
  EXPECT_EQ(findings[1].state, State::kWarning);
}

TEST(Doctor, WorkersOfSeveralVersionsAreTold) {
  std::vector<v1::Worker> workers = {Worker(8), Worker(8)};
  EXPECT_EQ(CheckWorkers(workers).size(), 1);
  workers[1].mutable_capacity()->set_code_version("2");
  EXPECT_THAT(CheckWorkers(workers).back().text, HasSubstr("2 versions"));
}

// Slots share a worker's cores; its memory a task may have alone, as the scheduler has it.
TEST(Doctor, TheLargestTaskMustFitAWorker) {
  v1::Estimate estimate;
  estimate.set_peak_memory_bytes(int64_t{3} << 30);
  estimate.set_thread_memory_bytes(int64_t{256} << 20);
  EXPECT_EQ(CheckCost(estimate, std::vector{Worker(4)}).state, State::kGood);
  EXPECT_EQ(CheckCost(estimate, std::vector{Worker(3)}).state, State::kFault);
  EXPECT_EQ(CheckCost(estimate, std::vector{Worker(3, 4)}).state, State::kFault) << "one thread each";
  EXPECT_EQ(CheckCost(estimate, std::vector{Worker(3), Worker(4, 2)}).state, State::kGood);
  EXPECT_EQ(CheckCost(estimate, std::vector{Worker(0)}).state, State::kGood) << "it did not say how much it has";
}

TEST(Doctor, OnACardTheLargestTaskMustFitItAndItsHost) {
  v1::Estimate estimate;
  estimate.set_peak_memory_bytes(int64_t{30} << 30);
  estimate.set_peak_device_memory_bytes(int64_t{20} << 30);
  estimate.set_peak_host_memory_bytes(int64_t{4} << 30);
  const auto card = [](int host_gib, int device_gib) {
    v1::Worker worker = Worker(host_gib);
    worker.mutable_capacity()->set_device("cuda");
    worker.mutable_capacity()->set_device_name("Card A");
    worker.mutable_capacity()->set_compute_class("cuda-sm90-132");
    worker.mutable_capacity()->set_device_memory_bytes(int64_t{device_gib} << 30);
    return worker;
  };
  EXPECT_EQ(CheckCost(estimate, std::vector{card(4, 21)}).state, State::kGood);
  EXPECT_EQ(CheckCost(estimate, std::vector{card(4, 20)}).state, State::kFault) << "a part is kept free";
  EXPECT_EQ(CheckCost(estimate, std::vector{card(3, 24)}).state, State::kFault);
  EXPECT_THAT(CheckWorkers(std::vector{card(4, 24)}).front().text, HasSubstr("cuda-sm90-132 (Card A)"));
}

TEST(Doctor, OneProgramOnProcessorsAndCardsIsOneVersion) {
  std::vector<v1::Worker> workers = {Worker(8), Worker(8)};
  workers[1].mutable_capacity()->set_code_version(workers[0].capacity().code_version() + "+cublas");
  EXPECT_EQ(CheckWorkers(workers).size(), 1);
}

TEST(Doctor, ADiskThatRunsFullIsAtFault) {
  v1::Capabilities server;
  server.mutable_storage()->set_free_bytes(int64_t{5'000'000'000});
  server.mutable_storage()->set_state(v1::Capabilities::Storage::ROOMY);
  EXPECT_EQ(CheckStorage(server).state, State::kGood);
  EXPECT_THAT(CheckStorage(server).text, HasSubstr("5.00 GB"));
  server.mutable_storage()->set_state(v1::Capabilities::Storage::LOW);
  EXPECT_EQ(CheckStorage(server).state, State::kFault);
}

TEST(Doctor, TellsWhatItSawAndEndsAccordingly) {
  FakeService service;
  service.plan.knows_capabilities = true;
  service.plan.capabilities.set_version(kVersion);
  Environment environment;
  environment.server = service.address();
  std::ostringstream out, err;
  const auto run = [&] {
    out.str("");
    return RunCommandLine({"doctor"}, environment, std::make_shared<CancelToken>(), out, err);
  };
  EXPECT_EQ(run(), ExitCode::kFailed) << "nobody works";
  EXPECT_THAT(out.str(), HasSubstr("answers"));
  EXPECT_THAT(out.str(), HasSubstr("none is registered"));
  environment.server = "unix:/nowhere/socket";
  EXPECT_EQ(run(), ExitCode::kUnreachable);
  EXPECT_THAT(out.str(), HasSubstr("service         fault"));
}

}  // namespace
}  // namespace bitwright::client
