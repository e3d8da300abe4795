// A process that dies between the two halves of a collection. In the service collections come once a minute, so that no
// run of chaos waits for one.
#include <signal.h>
#include <unistd.h>

#include "proto/base/failpoint.h"
#include "server/blobs/disk_blobs.h"
#include "server/blobs/held_blobs.h"
#include "server/store/sqlite_store.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

constexpr std::string_view kBytes = "nobody needs these any more";

// A server's blobs on a folder.
struct Blobs {
  explicit Blobs(const std::string& folder)
      : files(*OpenDiskBlobs(folder)), store(*OpenSqliteStore(folder + "/rows")), held(*files, *store) {}
  std::unique_ptr<BlobStore> files;
  std::unique_ptr<Store> store;
  HeldBlobs held;
};

void CrashWhileCollecting(const std::string& folder) {
  Blobs blobs(folder);
  auto upload = *blobs.files->StartUpload({"u", DigestOf(kBytes)});
  if (!upload->AppendCopied(kBytes).ok()) ::_exit(1);
  if (!blobs.held.Publish({}, *upload, DigestOf(kBytes), absl::FromUnixMicros(1)).ok()) ::_exit(2);
  if (!Failpoints::Arm("collection.unlink=crash").ok()) ::_exit(3);
  (void)blobs.held.Collect(DigestOf(kBytes), absl::FromUnixMicros(100));
  ::_exit(4);
}

TEST(CollectionCrashDeathTest, TheFileIsTakenUpAgainAndCollectedLater) {
  const TempDir dir;
  EXPECT_EXIT(CrashWhileCollecting(dir.path()), ::testing::KilledBySignal(SIGKILL), "failpoint collection.unlink");
  Blobs blobs(dir.path());
  EXPECT_TRUE(blobs.files->Has(DigestOf(kBytes)));
  EXPECT_FALSE(*blobs.held.Has({}, DigestOf(kBytes))) << "its row is gone";
  BITWRIGHT_ASSERT_OK(blobs.held.Reconcile(absl::FromUnixMicros(200)));
  EXPECT_TRUE(*blobs.held.Has({}, DigestOf(kBytes)));
  EXPECT_TRUE(*blobs.held.Collect(DigestOf(kBytes), absl::FromUnixMicros(300)));
  EXPECT_FALSE(blobs.files->Has(DigestOf(kBytes)));
}

}  // namespace
}  // namespace bitwright::server
