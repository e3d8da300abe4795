#include "workers/agent/blob_cache.h"

#include <grpcpp/grpcpp.h>

#include <unistd.h>

#include <filesystem>
#include <set>
#include <utility>

#include "proto/contract/model_parts.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/agent/fake_server.h"
#include "workers/agent/local_blobs.h"
#include "workers/agent/work_dir.h"
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

// A blob of three pages, and the second of them.
class BlobParts : public BlobCacheTest {
 protected:
  BlobPart Part(size_t page) {
    const std::string bytes = blob_.substr(page * kPieceAlignment, kPieceAlignment);
    return {whole_, static_cast<int64_t>(page) * kPieceAlignment, DigestOf(bytes)};
  }
  v1::TaskSpec Spec(std::initializer_list<size_t> pages) {
    v1::TaskSpec spec;
    v1::TaskInput& input = *spec.add_inputs();
    input.set_name("model/a");
    *input.mutable_digest() = ToProto(whole_);
    for (const size_t page : pages) {
      v1::FilePiece& piece = *input.add_pieces();
      piece.set_offset(Part(page).offset);
      *piece.mutable_digest() = ToProto(Part(page).bytes);
    }
    return spec;
  }
  std::set<std::string> Linked(const v1::TaskSpec& spec, InputSource& source) {
    const TempDir inputs;
    EXPECT_THAT(LinkInputs(spec, {inputs.path(), ""}, source, cancel_), IsOk());
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(inputs.path())) names.insert(file.path().filename());
    return names;
  }

  const std::string blob_ = [] {
    std::string bytes;
    for (int i = 0; i < 3 * kPieceAlignment; ++i) bytes += static_cast<char>(i * 2654435761u >> 13);
    return bytes;
  }();
  const BlobDigest whole_ = *FromProto(server_.Put(blob_));
};

TEST_F(BlobParts, OnlyTheyAreFetchedAndTheyAreKept) {
  auto cache = Open(1 << 20);
  ASSERT_OK_AND_ASSIGN(const auto file, cache->PathOfPart(Part(1), cancel_));
  EXPECT_FALSE(file.whole);
  EXPECT_EQ(*ReadFile(file.path), blob_.substr(kPieceAlignment, kPieceAlignment));
  EXPECT_EQ(server_.seen().bytes_read, kPieceAlignment);
  cache->ReleaseAll();
  EXPECT_THAT(cache->PathOfPart(Part(1), cancel_), IsOk()) << "for the next task";
  cache = Open(1 << 20);
  EXPECT_THAT(cache->PathOfPart(Part(1), cancel_), IsOk()) << "and after a restart";
  EXPECT_EQ(cache->checks().hashed, 1);
  EXPECT_EQ(server_.seen().bytes_read, kPieceAlignment);
}

TEST_F(BlobParts, OfABlobThatIsHereWholeNothingIsFetched) {
  const auto cache = Open(1 << 20);
  EXPECT_THAT(cache->Path(whole_, cancel_), IsOk());
  const int64_t before = server_.seen().bytes_read;
  ASSERT_OK_AND_ASSIGN(const auto file, cache->PathOfPart(Part(1), cancel_));
  EXPECT_TRUE(file.whole);
  EXPECT_EQ(server_.seen().bytes_read, before);
}

TEST_F(BlobParts, ThatHoldOtherBytesAreRefused) {
  const auto cache = Open(1 << 20);
  BlobPart wrong = Part(1);
  wrong.offset = 0;
  EXPECT_THAT(cache->PathOfPart(wrong, cancel_), HasReason("BLOB_DIGEST_MISMATCH"));
  EXPECT_FALSE(Has(wrong.bytes));
}

TEST_F(BlobParts, AreLinkedByTheirOwnNamesUnlessTheWholeIsHere) {
  const auto cache = Open(1 << 20);
  EXPECT_EQ(Linked(Spec({0, 2}), *cache), (std::set<std::string>{Part(0).bytes.sha256, Part(2).bytes.sha256}));
  const std::string folder = dir_ / whole_.sha256.substr(0, 2);
  std::filesystem::create_directory(folder);
  BITWRIGHT_ASSERT_OK(WriteFile(folder + "/" + whole_.sha256, blob_));
  LocalBlobs local(dir_.path());
  EXPECT_EQ(Linked(Spec({0, 2}), local), std::set<std::string>{whole_.sha256});
  EXPECT_EQ(Linked(Spec({}), *cache), std::set<std::string>{whole_.sha256}) << "all of it";
}

}  // namespace
}  // namespace bitwright::worker
