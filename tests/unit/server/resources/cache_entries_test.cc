#include "server/resources/cache_entries.h"

#include <map>

#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

// The digest of the first task of that kind.
std::string DigestOfKind(Rig& rig, const std::string& job, const std::string& kind) {
  v1::ListTasksRequest request;
  request.set_parent(job);
  const auto tasks = rig.tasks->List(kCaller, request);
  EXPECT_THAT(tasks, IsOk());
  for (const v1::Task& task : tasks->tasks()) {
    if (task.kind() == kind) return task.digest();
  }
  return "";
}

TEST(CacheEntries, AreShownAndOneIsDropped) {
  Rig rig;
  CacheEntries cache(*rig.store);
  const v1::JobSpec spec = rig.Spec(rig.ReadyModel().name());
  const std::string job = rig.CreateJob(spec).name();
  const std::string worker = rig.AddWorker();
  rig.RunAll(worker);
  const std::string digest = DigestOfKind(rig, job, "profile");
  ASSERT_OK_AND_ASSIGN(const v1::CacheEntry entry, cache.Get(kCaller, digest, ""));
  EXPECT_TRUE(entry.usable());
  EXPECT_EQ(entry.tenant(), kDefaultTenant);
  ASSERT_GT(entry.result().outputs_size(), 0);
  EXPECT_EQ(entry.result().outputs(0).name(), "sensitivity");
  EXPECT_EQ(cache.Get(kCaller, digest, kDefaultTenant)->digest(), digest);

  BITWRIGHT_ASSERT_OK(cache.Delete(kCaller, digest, ""));
  EXPECT_THAT(cache.Get(kCaller, digest, ""), HasReason("CACHE_ENTRY_NOT_FOUND"));
  EXPECT_THAT(cache.Delete(kCaller, digest, ""), HasReason("CACHE_ENTRY_NOT_FOUND"));
  BITWRIGHT_EXPECT_OK(rig.jobs->Report(kCaller, job, 0)) << "a job that has the result keeps it";

  // The next submission computes it anew, and nothing else that did not follow from it.
  rig.CreateJob(spec);
  std::map<std::string, int> ran;
  while (true) {
    ASSERT_OK_AND_ASSIGN(const auto lease, rig.TryLease(worker));
    if (!lease) break;
    ++ran[lease->spec().kind()];
    BITWRIGHT_ASSERT_OK(rig.Complete(worker, *lease));
  }
  EXPECT_EQ(ran["profile"], 1);
  EXPECT_EQ(ran["calibrate"], 0);
  EXPECT_EQ(ran["tokenize"], 0);
}

TEST(CacheEntries, OnesWithoutTheirBlobsAreNotUsable) {
  Rig rig;
  CacheEntries cache(*rig.store);
  v1::TaskResult result;
  *result.add_outputs()->mutable_digest() = ToProto(DigestOf("never uploaded"));
  const std::string lost(64, 'a');
  const std::string garbled(64, 'b');
  BITWRIGHT_ASSERT_OK(rig.store->Write([&](Transaction& tx) -> absl::Status {
    ABSL_RETURN_IF_ERROR(tx.PutAction(kDefaultTenant, lost, result.SerializeAsString(), {}));
    return tx.PutAction(kDefaultTenant, garbled, "\xff\xff", {});
  }));
  EXPECT_FALSE(cache.Get(kCaller, lost, "")->usable());
  EXPECT_FALSE(cache.Get(kCaller, garbled, "")->usable());
  BITWRIGHT_EXPECT_OK(cache.Delete(kCaller, garbled, "")) << "what nobody can read can be dropped, too";
}

TEST(CacheEntries, OfOtherTenantsAndOtherNamesAreNone) {
  Rig rig;
  CacheEntries cache(*rig.store);
  const std::string job = rig.QueuedJob().name();
  rig.RunAll(rig.AddWorker());
  const std::string digest = DigestOfKind(rig, job, "profile");
  EXPECT_THAT(cache.Get(kCaller, digest, "other"), HasReason("CACHE_ENTRY_NOT_FOUND"));
  EXPECT_THAT(cache.Delete(kCaller, digest, "other"), HasReason("CACHE_ENTRY_NOT_FOUND"));
  BITWRIGHT_ASSERT_OK(rig.store->Write([&](Transaction& tx) { return tx.PutAction("other", digest, "", {}); }));
  BITWRIGHT_EXPECT_OK(cache.Delete(kCaller, digest, "other"));
  for (const std::string& bad : {std::string(), std::string("abc"), std::string(64, 'G'), std::string(65, 'a')}) {
    EXPECT_THAT(cache.Get(kCaller, bad, ""), HasReason("TASK_DIGEST_INVALID"));
    EXPECT_THAT(cache.Delete(kCaller, bad, ""), HasReason("TASK_DIGEST_INVALID"));
  }
  BITWRIGHT_EXPECT_OK(cache.Get(kCaller, digest, ""));
}

}  // namespace
}  // namespace bitwright::server
