#include "server/observe/metrics.h"

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, CountsWhatItIsTold) {
  Metrics metrics;
  metrics.RpcDone("GetJob", absl::StatusCode::kNotFound, 0.003);
  metrics.RpcDone("GetJob", absl::StatusCode::kOk, 0.004);
  metrics.StreamOpened("WatchJob");
  metrics.StreamOpened("WatchJob");
  metrics.StreamDone("WatchJob", absl::StatusCode::kOk, 600);
  metrics.LaneDepth("bulk")(7);
  metrics.LaneRefused("bulk");
  metrics.TaskLeased(0.2);
  metrics.TaskDone("evaluate", 3);
  metrics.CacheHit();
  metrics.CacheMiss();
  metrics.Uploaded(1000);
  metrics.LeaseExpired();
  metrics.TaskRetried();
  metrics.JobEnded("succeeded");
  metrics.SchedulerWaited(0.5);
  metrics.SetOldestQueuedJob(90);
  metrics.SetWaiting("NO_WORKER", 6);
  metrics.Committed(0.25, 3);
  metrics.BlobsLost(1);
  metrics.SetDisk(12345, 54321);
  metrics.SetBuild("1.2.3", "4.5", "6.7");
  metrics.BlobsCollected(4);
  metrics.SetJobs("queued", 3);
  metrics.SetTasks("leased", 2);
  metrics.SetSlots({{{"cpu", "cpu-avx2"}, {5, 4}}, {{"cuda", "cuda-sm90-132"}, {1, 1, 8000}}});
  metrics.WorkerBusy({"cuda", "cuda-sm90-132"}, 2);
  metrics.WorkerBusy({"cuda", "cuda-sm90-132"}, 0.5);
  metrics.JobFailed("OUT_OF_MEMORY");
  metrics.ArtifactMade("gguf", "mixed_better", 0.03, 4.25);
  metrics.SetBlobs(7, 7000);
  const std::string text = metrics.Text();
  for (const char* line : {
           "bitwright_rpcs_total{code=\"NOT_FOUND\",method=\"GetJob\"} 1",
           "bitwright_rpcs_total{code=\"OK\",method=\"GetJob\"} 1",
           "bitwright_rpcs_total{code=\"OK\",method=\"WatchJob\"} 1",
           "bitwright_rpc_seconds_count{method=\"GetJob\"} 2",
           "bitwright_rpc_streams_open{method=\"WatchJob\"} 1",
           "bitwright_rpc_stream_seconds_sum{method=\"WatchJob\"} 600",
           "bitwright_lane_depth{lane=\"bulk\"} 7",
           "bitwright_lane_refusals_total{lane=\"bulk\"} 1",
           "bitwright_jobs_ended_total{outcome=\"succeeded\"} 1",
           "bitwright_scheduler_wait_seconds_sum 0.5",
           "bitwright_oldest_queued_job_age_seconds 90",
           "bitwright_tasks_waiting{reason=\"NO_WORKER\"} 6",
           "bitwright_commit_seconds_sum 0.25",
           "bitwright_commit_transactions_sum 3",
           "bitwright_blobs_lost_total 1",
           "bitwright_disk_free_bytes 12345",
           "bitwright_disk_size_bytes 54321",
           "bitwright_jobs_ended_total{outcome=\"failed\"} 0",
           "bitwright_jobs_failed_total{reason=\"OUT_OF_MEMORY\"} 1",
           "bitwright_artifacts_total{target=\"gguf\",verdict=\"mixed_better\"} 1",
           "bitwright_artifact_kl_divergence_nats_bucket{target=\"gguf\",le=\"0.02\"} 0",
           "bitwright_artifact_kl_divergence_nats_bucket{target=\"gguf\",le=\"0.05\"} 1",
           "bitwright_artifact_average_bits_sum{target=\"gguf\"} 4.25",
           "bitwright_build_info{grpc=\"4.5\",protobuf=\"6.7\",version=\"1.2.3\"} 1",
           "bitwright_task_queue_wait_seconds_count 1",
           "bitwright_task_seconds_sum{kind=\"evaluate\"} 3",
           "bitwright_action_cache_hits_total 1",
           "bitwright_action_cache_misses_total 1",
           "bitwright_upload_bytes_total 1000",
           "bitwright_lease_expiries_total 1",
           "bitwright_task_retries_total 1",
           "bitwright_blobs_collected_total 4",
           "bitwright_jobs{state=\"queued\"} 3",
           "bitwright_tasks{state=\"leased\"} 2",
           "bitwright_worker_slots{compute_class=\"cpu-avx2\",device=\"cpu\"} 5",
           "bitwright_worker_slots_busy{compute_class=\"cpu-avx2\",device=\"cpu\"} 4",
           "bitwright_device_memory_bytes{compute_class=\"cuda-sm90-132\",device=\"cuda\"} 8000",
           "bitwright_device_memory_bytes{compute_class=\"cpu-avx2\",device=\"cpu\"} 0",
           "bitwright_worker_busy_seconds_total{compute_class=\"cuda-sm90-132\",device=\"cuda\"} 2.5",
           "bitwright_blobs 7",
           "bitwright_blob_bytes 7000",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("bitwright_rpc_seconds_count{method=\"WatchJob\"}"))) << "a stream is no latency";
}

TEST(Metrics, AKindOfWorkersThatIsGoneHasNoSlots) {
  Metrics metrics;
  metrics.SetSlots({{{"cpu", "cpu-avx2"}, {2, 1}}, {{"cpu", "cpu-avx512"}, {4, 4}}});
  metrics.SetSlots({{{"cpu", "cpu-avx512"}, {3, 0}}});
  EXPECT_THAT(metrics.Text(), HasSubstr("bitwright_worker_slots{compute_class=\"cpu-avx2\",device=\"cpu\"} 0"));
  EXPECT_THAT(metrics.Text(), HasSubstr("bitwright_worker_slots_busy{compute_class=\"cpu-avx2\",device=\"cpu\"} 0"));
  EXPECT_THAT(metrics.Text(), HasSubstr("bitwright_worker_slots{compute_class=\"cpu-avx512\",device=\"cpu\"} 3"));
}

// Reasons of failures and classes of workers come from elsewhere.
TEST(Metrics, WhatOthersSendMakesNoMoreThanSoManySeries) {
  Metrics metrics;
  for (int i = 0; i < 200; ++i) {
    metrics.JobFailed("REASON_" + std::to_string(i));
    metrics.SetSlots({{{"cpu", "class-" + std::to_string(i)}, {1, 0}}});
  }
  metrics.JobFailed("REASON_0");
  metrics.JobFailed("");
  const std::string text = metrics.Text();
  const auto lines = [&](const std::string& start) {
    int count = 0;
    for (size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(lines("bitwright_jobs_failed_total{"), 65);
  EXPECT_THAT(text, HasSubstr("bitwright_jobs_failed_total{reason=\"REASON_0\"} 2"));
  EXPECT_THAT(text, HasSubstr("bitwright_jobs_failed_total{reason=\"other\"} 137"));
  EXPECT_EQ(lines("bitwright_worker_slots{"), 33);
}

TEST(Metrics, ServesAtAnyPortAndSaysWhenItCannot) {
  Metrics metrics;
  ASSERT_OK_AND_ASSIGN(const int port, metrics.Serve("127.0.0.1:0"));
  EXPECT_GT(port, 0);
  Metrics second;
  EXPECT_THAT(second.Serve("127.0.0.1:" + std::to_string(port)), HasReason("METRICS_LISTEN_FAILED"));
}

}  // namespace
}  // namespace bitwright::server
