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
  metrics.SetDiskFree(12345);
  metrics.SetBuild("1.2.3", "4.5", "6.7");
  metrics.BlobsCollected(4);
  metrics.SetJobs("queued", 3);
  metrics.SetTasks("leased", 2);
  metrics.SetSlots(5, 4);
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
           "bitwright_worker_slots 5",
           "bitwright_worker_slots_busy 4",
           "bitwright_blobs 7",
           "bitwright_blob_bytes 7000",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("bitwright_rpc_seconds_count{method=\"WatchJob\"}"))) << "a stream is no latency";
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
