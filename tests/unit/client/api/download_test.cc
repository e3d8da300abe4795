#include <filesystem>

#include "client/api/client.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake/fake_service.h"
#include "tests/unit/client/test_files.h"
#include "tests/unit/proto/transfer/test_clock.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

class DownloadTest : public ::testing::Test {
 protected:
  DownloadTest() {
    for (size_t i = 0; i < 7500; ++i) weights_ += static_cast<char>('a' + i % 23);
    service_.AddArtifactFile("config.json", "{}");
    service_.AddArtifactFile("sub/model.safetensors", weights_);
  }
  absl::Status Download() {
    return Client::ConnectTo({.address = service_.address(), .clock = &clock_})
        ->DownloadArtifact(service_.artifact, dir_ / "out");
  }
  std::string Held() {
    auto data = ReadWholeFile(path_);
    return data.ok() ? *data : std::string(data.status().message());
  }

  std::string weights_;
  TempDir dir_;
  const std::string path_ = dir_ / "out/sub/model.safetensors";
  TestClock clock_;
  FakeService service_;
};

TEST_F(DownloadTest, WritesEveryFileWhole) {
  EXPECT_THAT(Download(), IsOk());
  EXPECT_EQ(Held(), weights_);
  EXPECT_FALSE(fs::exists(path_ + ".part"));
}

TEST_F(DownloadTest, KeepsWhatIsThere) {
  ASSERT_THAT(Download(), IsOk());
  service_.seen.read_offsets.clear();
  ASSERT_THAT(Download(), IsOk());
  EXPECT_TRUE(service_.seen.read_offsets.empty());
  ASSERT_THAT(WriteWholeFile(path_, std::string(weights_.size(), 'z')), IsOk());
  ASSERT_THAT(Download(), IsOk());
  EXPECT_EQ(Held(), weights_);
}

TEST_F(DownloadTest, BrokenStreamGoesOnAtTheNextByte) {
  service_.plan.break_reads_after = {-1, 3000, 2000};
  EXPECT_THAT(Download(), IsOk());
  EXPECT_EQ(Held(), weights_);
  EXPECT_EQ(service_.seen.read_offsets, (std::vector<int64_t>{0, 0, 3000, 5000}));
}

TEST_F(DownloadTest, PartOfAnEarlierProcessContinues) {
  fs::create_directories(fs::path(path_).parent_path());
  ASSERT_THAT(WriteWholeFile(path_ + ".part", weights_.substr(0, 4321)), IsOk());
  EXPECT_THAT(Download(), IsOk());
  EXPECT_EQ(Held(), weights_);
  EXPECT_EQ(service_.seen.read_offsets.back(), 4321);
  EXPECT_FALSE(fs::exists(path_ + ".part"));
}

TEST_F(DownloadTest, WholePartNeedsNoByte) {
  fs::create_directories(fs::path(path_).parent_path());
  ASSERT_THAT(WriteWholeFile(path_ + ".part", weights_), IsOk());
  EXPECT_THAT(Download(), IsOk());
  EXPECT_EQ(service_.seen.read_offsets.size(), 1u);  // config.json
}

TEST_F(DownloadTest, PartOfAnotherArtifactBeginsAgain) {
  fs::create_directories(fs::path(path_).parent_path());
  for (const size_t size : {size_t{100}, weights_.size(), weights_.size() + 5}) {
    fs::remove(path_);
    ASSERT_THAT(WriteWholeFile(path_ + ".part", std::string(size, 'x')), IsOk());
    EXPECT_THAT(Download(), IsOk()) << size;
    EXPECT_EQ(Held(), weights_);
  }
}

TEST_F(DownloadTest, OtherBytesAreNeverPublished) {
  service_.plan.corrupt_reads = 100;
  EXPECT_THAT(Download(), HasReason("BLOB_DIGEST_MISMATCH"));
  EXPECT_FALSE(fs::exists(dir_ / "out/config.json"));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(DownloadTest, PathsStayInside) {
  service_.AddArtifactFile("../x", "gotcha");
  EXPECT_THAT(Download(), HasReason("MANIFEST_PATH_INVALID"));
  EXPECT_FALSE(fs::exists(dir_ / "x"));
  EXPECT_FALSE(fs::exists(dir_ / "out")) << "nothing may be written before all paths are checked";
}

TEST_F(DownloadTest, CollectedBlobIsNotFound) {
  service_.blobs.clear();
  EXPECT_THAT(Download(), HasReason("BLOB_NOT_FOUND"));
}

}  // namespace
}  // namespace bitwright::client
