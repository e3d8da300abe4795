#include "server/observe/metrics.h"

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, CountsWhatItIsTold) {
  Metrics metrics;
  metrics.RpcDone("GetJob", absl::StatusCode::kNotFound, 0.003);
  metrics.RpcDone("GetJob", absl::StatusCode::kNotFound, 0.004);
  metrics.TaskLeased(0.2);
  metrics.TaskDone("evaluate", 3);
  metrics.CacheHit();
  metrics.CacheMiss();
  metrics.Uploaded(1000);
  metrics.LeaseExpired();
  metrics.TaskRetried();
  metrics.BlobsCollected(4);
  metrics.SetJobs("queued", 3);
  metrics.SetTasks("leased", 2);
  metrics.SetSlots(5, 4);
  metrics.SetBlobs(7, 7000);
  const std::string text = metrics.Text();
  for (const char* line : {
           "bitwright_rpc_seconds_count{code=\"NOT_FOUND\",method=\"GetJob\"} 2",
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
