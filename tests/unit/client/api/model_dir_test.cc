#include "client/api/model_dir.h"

#include <filesystem>

#include "client/api/hashing.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

void Put(const TempDir& dir, const std::string& path, const std::string& data = "x") {
  std::filesystem::create_directories(std::filesystem::path(dir / path).parent_path());
  BITWRIGHT_ASSERT_OK(WriteWholeFile(dir / path, data));
}

std::vector<std::string> Paths(const std::vector<ModelFile>& files) {
  std::vector<std::string> paths;
  for (const ModelFile& file : files) paths.push_back(file.path);
  return paths;
}

TEST(ModelDir, TakesWhatBelongsToTheModel) {
  TempDir dir;
  for (const char* path :
       {"config.json", "tokenizer.json", "model.safetensors", "sub/extra.txt", "README.md", ".gitattributes",
        ".git/config", "pytorch_model.bin", "a.pt", "b.pth", "c.gguf", "original/params.json", "d.safetensors.part"}) {
    Put(dir, path, path);
  }
  std::filesystem::create_symlink(dir / "README.md", dir / "linked.md");
  ASSERT_OK_AND_ASSIGN(const auto files, ScanModelDir(dir.path() + "/"));
  EXPECT_EQ(Paths(files), (std::vector<std::string>{"README.md", "config.json", "linked.md", "model.safetensors",
                                                    "sub/extra.txt", "tokenizer.json"}));
  EXPECT_EQ(files[1].size_bytes, 11);
}

TEST(ModelDir, SaysWhatIsMissingAndWhatToDo) {
  TempDir dir;
  EXPECT_THAT(ScanModelDir(dir / "none"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ScanModelDir(dir.path()), HasReason("MODEL_DIR_INVALID"));
  Put(dir, "model.safetensors");
  EXPECT_NE(ScanModelDir(dir.path()).status().message().find("config.json"), absl::string_view::npos);
  EXPECT_NE(ScanModelDir(dir / "model.safetensors").status().message().find("not a folder"), absl::string_view::npos);
  std::filesystem::remove(dir / "model.safetensors");
  Put(dir, "config.json");
  EXPECT_NE(ScanModelDir(dir.path()).status().message().find("download the weights"), absl::string_view::npos);
  Put(dir, "pytorch_model.bin");
  EXPECT_NE(ScanModelDir(dir.path()).status().message().find("safe_serialization"), absl::string_view::npos);
}

TEST(ModelDir, RefusesNamesThatAManifestCannotHold) {
  TempDir dir;
  Put(dir, "config.json");
  Put(dir, "model.safetensors");
  Put(dir, "a\nb.txt");
  EXPECT_THAT(ScanModelDir(dir.path()), HasReason("MANIFEST_PATH_INVALID"));
}

TEST(Hashing, SameOnAnyNumberOfThreads) {
  TempDir dir;
  std::vector<std::string> paths;
  std::vector<BlobDigest> expected;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1} << 20, (size_t{1} << 20) + 7, size_t{3000000}}) {
    const std::string data(size, static_cast<char>('a' + paths.size()));
    paths.push_back(dir / std::to_string(size));
    BITWRIGHT_ASSERT_OK(WriteWholeFile(paths.back(), data));
    expected.push_back(DigestOf(data));
  }
  for (const int threads : {1, 2, 8}) {
    int64_t bytes = 0;
    CancelToken cancel;
    ASSERT_OK_AND_ASSIGN(const auto digests, HashFiles(paths, threads, cancel, [&](int64_t n) { bytes += n; }));
    EXPECT_EQ(digests, expected);
    EXPECT_EQ(bytes, 0 + 1 + (1 << 20) + (1 << 20) + 7 + 3000000);
  }
  CancelToken cancelled;
  cancelled.Cancel();
  EXPECT_THAT(HashFiles(paths, 2, cancelled, nullptr), HasReason("INTERRUPTED"));
  CancelToken cancel;
  EXPECT_THAT(HashFiles(std::vector<std::string>{dir / "none"}, 2, cancel, nullptr), HasReason("FILE_UNREADABLE"));
  EXPECT_THAT(HashFiles(std::vector<std::string>{dir.path()}, 2, cancel, nullptr), HasReason("FILE_UNREADABLE"));
}

TEST(LocalFile, WritingToAFullDiskSaysSo) {
  EXPECT_THAT(WriteWholeFile("/nowhere/at/all", "x"), HasReason("FILE_UNWRITABLE"));
}

}  // namespace
}  // namespace bitwright::client
