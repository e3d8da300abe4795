#include "server/resources/collector.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

bool Held(Rig& rig, const v1::Digest& digest) { return *rig.held->Has({}, *FromProto(digest)); }

int64_t Count(Rig& rig) {
  int64_t count = 0;
  EXPECT_THAT(rig.store->Read([&](Snapshot& snapshot) {
    count = snapshot.CountBlobs()->count;
    return absl::OkStatus();
  }),
              IsOk());
  return count;
}

TEST(Collector, UnusedBlobsGoAfterTheGracePeriod) {
  Rig rig;
  const BlobDigest blob = rig.Put("nobody's");
  rig.clock.Advance(3599);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_TRUE(*rig.held->Has({}, blob));
  BITWRIGHT_ASSERT_OK(rig.held->FindMissing({.tenant = kDefaultTenant}, {blob}, rig.clock.Now())) << "a use";
  rig.clock.Advance(3599);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_TRUE(*rig.held->Has({}, blob));
  rig.clock.Advance(2);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_FALSE(*rig.held->Has({}, blob));
  EXPECT_FALSE(rig.blobs->Has(blob));
}

TEST(Collector, AModelKeepsItsFilesUntilItIsDeleted) {
  Rig rig;
  rig.collector_options.cache_bytes = 0;
  rig.Restart();
  const v1::Model model = rig.ReadyModel();
  rig.clock.Advance(1e6);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  for (const auto& file : model.manifest().files()) EXPECT_TRUE(Held(rig, file.digest()));
  BITWRIGHT_ASSERT_OK(rig.models->Delete(kCaller, model.name()));
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_EQ(Count(rig), 0);
}

TEST(Collector, AnUnfinishedJobKeepsWhatItsTasksMade) {
  Rig rig;
  rig.collector_options.cache_bytes = 0;
  rig.Restart();
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker, 8);
  const int64_t before = Count(rig);
  rig.clock.Advance(1e6);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_EQ(Count(rig), before);
  rig.RunAll(rig.AddWorker());
  EXPECT_EQ(rig.jobs->Get(kCaller, job.name())->state(), v1::Job::SUCCEEDED);
}

TEST(Collector, AFinishedJobsIntermediateBlobsAreCacheWithinTheBudget) {
  Rig rig;
  const v1::Job job = rig.QueuedJob();
  const std::string worker = rig.AddWorker();
  const int ran = rig.RunAll(worker);
  const int64_t all = Count(rig);
  rig.clock.Advance(7200);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_EQ(Count(rig), all - 1) << "within the budget nothing of the cache goes, but what no task made: provenance";
  rig.collector_options.cache_bytes = 500;
  rig.Restart();
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_LT(Count(rig), all);
  int64_t bytes = 0;
  BITWRIGHT_ASSERT_OK(rig.store->Read([&](Snapshot& snapshot) {
    bytes = *snapshot.CacheBytes();
    return absl::OkStatus();
  }));
  EXPECT_LE(bytes, 500);
  ASSERT_OK_AND_ASSIGN(const v1::Job done, rig.jobs->Get(kCaller, job.name()));
  EXPECT_TRUE(Held(rig, done.report()));
  EXPECT_TRUE(Held(rig, done.spec().calibration(0).blob()));
  for (const auto& file : done.artifact().files()) EXPECT_TRUE(Held(rig, file.digest()));
  // What went must run again, and can.
  const v1::Job again = rig.CreateJob(rig.Spec(job.spec().model()));
  const int reran = rig.RunAll(rig.AddWorker());
  EXPECT_GT(reran, 0);
  EXPECT_LT(reran, ran + 1);
  EXPECT_EQ(rig.jobs->Get(kCaller, again.name())->artifact().SerializeAsString(), done.artifact().SerializeAsString());
}

TEST(Collector, DeletingAJobReleasesItsArtifact) {
  Rig rig;
  rig.collector_options.cache_bytes = 0;
  rig.Restart();
  const v1::Job job = rig.QueuedJob();
  rig.RunAll(rig.AddWorker());
  ASSERT_OK_AND_ASSIGN(const v1::Job done, rig.jobs->Get(kCaller, job.name()));
  BITWRIGHT_ASSERT_OK(rig.jobs->Delete(kCaller, job.name()));
  rig.clock.Advance(7200);
  BITWRIGHT_ASSERT_OK(rig.collector->Run());
  EXPECT_FALSE(Held(rig, done.report()));
  EXPECT_FALSE(Held(rig, done.artifact().files(0).digest()));
}

TEST(Collector, SetsTheGauges) {
  Rig rig;
  rig.QueuedJob();
  BITWRIGHT_ASSERT_OK(rig.collector->Measure());
  rig.Tick();
  const std::string text = rig.metrics->Text();
  EXPECT_THAT(text, ::testing::HasSubstr("bitwright_jobs{state=\"queued\"} 1"));
  EXPECT_THAT(text, ::testing::HasSubstr("bitwright_tasks{state=\"ready\"} 2"));
  EXPECT_THAT(text, ::testing::HasSubstr("bitwright_blobs 6"));
}

}  // namespace
}  // namespace bitwright::server
