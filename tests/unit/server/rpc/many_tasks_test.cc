// A job of more than 3,000 tasks over real connections: no message on its way grows with the number of tasks beyond
// what a message may have.
#include <atomic>
#include <thread>
#include <vector>

#include "bitwright/v1/jobs.grpc.pb.h"
#include "bitwright/v1/models.grpc.pb.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/test_server.h"

namespace bitwright::server {
namespace {

constexpr int kWorkers = 12;
constexpr int kWindows = 16 * 1000;  // 1,000 pieces: as many references, and as many evaluations of each candidate

TEST(ManyTasks, AJobOfThousandsGoesToItsEnd) {
  SystemClock clock;
  TestServer test(clock, {}, [](Options& options) { options.lease_ttl_seconds = 60; });
  RawCalls& calls = *test.calls;
  calls.windows = kWindows;
  const auto models = v1::ModelService::NewStub(calls.channel);
  const auto jobs = v1::JobService::NewStub(calls.channel);
  v1::CreateModelRequest model_request;
  for (const char* path : {"config.json", "model.safetensors", "tokenizer.json"}) {
    v1::FileEntry* file = model_request.mutable_manifest()->add_files();
    file->set_path(path);
    *file->mutable_digest() = ToProto(calls.Put(path));
  }
  ASSERT_OK_AND_ASSIGN(const auto model,
                       calls.Call<v1::Model>(*models, &v1::ModelService::Stub::CreateModel, model_request));
  ASSERT_EQ(calls.RunTasks(1), 1);
  v1::CreateJobRequest request;
  v1::JobSpec& spec = *request.mutable_spec();
  spec.set_model(model.name());
  spec.set_recipe("recipes/mixed-gptq");
  spec.mutable_budget()->set_average_bits(4.25);
  for (v1::Data* data : {spec.add_calibration(), spec.add_evaluation()}) {
    data->set_kind(v1::Data::TEXT);
    *data->mutable_blob() = ToProto(calls.Put("text"));
  }
  ASSERT_OK_AND_ASSIGN(const auto job, calls.Call<v1::Job>(*jobs, &v1::JobService::Stub::CreateJob, request));
  v1::GetJobRequest get;
  get.set_name(job.name());
  const auto ended = [&] {
    const auto now = calls.Call<v1::Job>(*jobs, &v1::JobService::Stub::GetJob, get);
    EXPECT_THAT(now, IsOk());
    return !now.ok() || now->has_end_time();
  };
  std::atomic<int> ran = 0;
  std::atomic<int64_t> largest_lease = 0;
  std::atomic<int64_t> report_lease = 0;
  // Side by side, so that one commit carries what several of them say.
  std::vector<std::thread> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&] {
      RawCalls worker(test.server->address());
      worker.windows = kWindows;
      while (!ended()) ran += worker.RunTasks(10000);
      if (worker.report_lease > 0) report_lease = worker.report_lease;
      for (int64_t most = largest_lease; most < worker.largest_lease;) {
        if (largest_lease.compare_exchange_weak(most, worker.largest_lease)) break;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();

  EXPECT_GT(ran, 3000);
  ASSERT_OK_AND_ASSIGN(const auto now, calls.Call<v1::Job>(*jobs, &v1::JobService::Stub::GetJob, get));
  EXPECT_EQ(now.state(), v1::Job::SUCCEEDED) << now.error().message();
  EXPECT_LT(largest_lease, limits::kMaxMessageBytes / 4);
  EXPECT_LT(report_lease, 64 << 10) << "the provenance of all tasks is a blob that the report reads";
  EXPECT_GT(report_lease, 0);
}

}  // namespace
}  // namespace bitwright::server
