#include "workers/agent/blob_cache.h"

#include <grpcpp/grpcpp.h>

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/agent/fake_server.h"
#include "workers/agent/local_blobs.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

class BlobCacheTest : public ::testing::Test {
 protected:
  std::unique_ptr<BlobCache> Open(int64_t max_bytes) { return *BlobCache::Open(dir_.path(), max_bytes, client_); }
  BlobDigest Put(char c) { return *FromProto(server_.Put(std::string(100, c))); }
  size_t Reads() const { return server_.seen().read_offsets.size(); }
  bool Has(const BlobDigest& digest) const { return std::filesystem::exists(dir_ / digest.sha256); }

  TempDir dir_;
  FakeServer server_;
  BlobClient client_{grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials())};
  CancelToken cancel_;
};

TEST_F(BlobCacheTest, FetchesOnceAndKeeps) {
  const BlobDigest a = Put('a');
  auto cache = Open(1000);
  ASSERT_OK_AND_ASSIGN(const std::string path, cache->Path(a, cancel_));
  EXPECT_EQ(*ReadFile(path), std::string(100, 'a'));
  EXPECT_THAT(cache->Path(a, cancel_), IsOk());
  cache = Open(1000);  // as after a restart
  EXPECT_EQ(cache->bytes(), 100);
  EXPECT_THAT(cache->Path(a, cancel_), IsOk());
  EXPECT_EQ(Reads(), 1);
}

TEST_F(BlobCacheTest, WhatAnEarlierRunLeftIsHashedOnce) {
  const BlobDigest a = Put('a');
  EXPECT_THAT(Open(1000)->Path(a, cancel_), IsOk());
  const auto cache = Open(1000);
  EXPECT_EQ(cache->checks().hashed, 0) << "not before it is used";
  for (int use = 0; use < 3; ++use) {
    EXPECT_THAT(cache->Path(a, cancel_), IsOk());
    cache->ReleaseAll();
  }
  EXPECT_EQ(cache->checks().hashed, 1);
  EXPECT_EQ(cache->checks().damaged, 0);
  EXPECT_THAT(cache->Beside()->Path(a, cancel_), IsOk());
  EXPECT_EQ(cache->checks().hashed, 1) << "once for all users";
  EXPECT_EQ(Reads(), 1);
}

TEST_F(BlobCacheTest, WhatThisProcessFetchedIsNotHashedAgain) {
  const BlobDigest a = Put('a');
  const auto cache = Open(1000);
  EXPECT_THAT(cache->Path(a, cancel_), IsOk());
  EXPECT_THAT(cache->Path(a, cancel_), IsOk());
  EXPECT_EQ(cache->checks().hashed, 0);
}

// As after a crash that left the name and the size of a file, but not its bytes.
TEST_F(BlobCacheTest, DamagedFilesOfAnEarlierRunAreFetchedAgain) {
  const BlobDigest a = Put('a');
  const BlobDigest b = Put('b');
  ASSERT_THAT(WriteFile(dir_ / a.sha256, std::string(100, '\0')), IsOk());
  EXPECT_EQ(::symlink("/dev/null", (dir_ / b.sha256).c_str()), 0);
  const auto cache = Open(1000);
  for (const auto& [digest, letter] : {std::pair{a, 'a'}, {b, 'b'}}) {
    ASSERT_OK_AND_ASSIGN(const std::string path, cache->Path(digest, cancel_));
    EXPECT_EQ(*ReadFile(path), std::string(100, letter));
  }
  EXPECT_EQ(cache->checks().damaged, 1);
  EXPECT_EQ(cache->bytes(), 200);
  EXPECT_EQ(Reads(), 2);
}

TEST_F(BlobCacheTest, HashingCanBeInterrupted) {
  const BlobDigest a = Put('a');
  EXPECT_THAT(Open(1000)->Path(a, cancel_), IsOk());
  const auto cache = Open(1000);
  cancel_.Cancel();
  EXPECT_THAT(cache->Path(a, cancel_), HasReason("INTERRUPTED"));
  EXPECT_TRUE(Has(a)) << "it is not taken for damaged";
  EXPECT_EQ(cache->checks().damaged, 0);
}

TEST_F(BlobCacheTest, RemovesTheLeastRecentlyUsed) {
  const BlobDigest a = Put('a');
  const BlobDigest b = Put('b');
  const BlobDigest c = Put('c');
  const auto cache = Open(250);
  for (const BlobDigest& digest : {a, b, a}) EXPECT_THAT(cache->Path(digest, cancel_), IsOk());
  cache->ReleaseAll();
  EXPECT_THAT(cache->Path(c, cancel_), IsOk());
  EXPECT_TRUE(Has(a));
  EXPECT_FALSE(Has(b));
  EXPECT_EQ(cache->bytes(), 200);
}

TEST_F(BlobCacheTest, InputsInUseStayEvenBeyondTheBound) {
  const BlobDigest a = Put('a');
  const BlobDigest b = Put('b');
  const auto cache = Open(150);
  EXPECT_THAT(cache->Path(a, cancel_), IsOk());
  EXPECT_THAT(cache->Path(b, cancel_), IsOk());
  EXPECT_TRUE(Has(a) && Has(b));
  cache->ReleaseAll();
  EXPECT_FALSE(Has(a));
  EXPECT_TRUE(Has(b));
}

TEST_F(BlobCacheTest, TwoUsersShareTheFolderAndKeepTheirOwn) {
  const BlobDigest a = Put('a');
  const BlobDigest b = Put('b');
  const auto cache = Open(150);
  const std::unique_ptr<BlobCache> beside = cache->Beside();
  EXPECT_THAT(cache->Path(a, cancel_), IsOk());
  EXPECT_THAT(beside->Path(a, cancel_), IsOk());
  EXPECT_EQ(Reads(), 1) << "fetched once for both";
  EXPECT_THAT(beside->Path(b, cancel_), IsOk());
  cache->ReleaseAll();
  EXPECT_TRUE(Has(a) && Has(b)) << "the other one still uses both";
  beside->ReleaseAll();
  EXPECT_FALSE(Has(a));
  EXPECT_EQ(beside->bytes(), 100);
  EXPECT_EQ(cache->bytes(), 100);
}

TEST_F(BlobCacheTest, FileOfAnotherSizeIsFetchedAgain) {
  const BlobDigest a = Put('a');
  ASSERT_THAT(WriteFile(dir_ / a.sha256, "short"), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string path, Open(1000)->Path(a, cancel_));
  EXPECT_EQ(*ReadFile(path), std::string(100, 'a'));
}

TEST_F(BlobCacheTest, LocalFolderIsReadInPlace) {
  const BlobDigest a = DigestOf("local");
  std::filesystem::create_directories(dir_ / a.sha256.substr(0, 2));
  const std::string path = dir_ / (a.sha256.substr(0, 2) + "/" + a.sha256);
  ASSERT_THAT(WriteFile(path, "local"), IsOk());
  LocalBlobs local(dir_.path());
  EXPECT_EQ(*local.Path(a, cancel_), path);
  EXPECT_THAT(local.Path(DigestOf("other"), cancel_), HasReason("INPUT_MISSING"));
}

}  // namespace
}  // namespace bitwright::worker
