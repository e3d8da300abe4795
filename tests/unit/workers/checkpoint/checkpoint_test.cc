#include "workers/checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

constexpr char kIndex[] = "model.safetensors.index.json";

// A folder of model files, written one by one.
class Folder {
 public:
  void Add(const std::string& name, const std::string& bytes) {
    EXPECT_THAT(WriteFile(dir_ / name, bytes), IsOk());
    files_[name] = dir_ / name;
  }
  // A shard of U8 tensors of one byte each.
  void AddShard(const std::string& name, const std::vector<std::string>& tensors) {
    std::string header;
    for (size_t i = 0; i < tensors.size(); ++i) {
      header += (i ? ",\"" : "{\"") + tensors[i] + R"(":{"dtype":"U8","shape":[1],"data_offsets":[)" +
                std::to_string(i) + "," + std::to_string(i + 1) + "]}";
    }
    Add(name, SafetensorsBytes(header + "}", std::string(tensors.size(), 'x')));
  }
  void AddIndex(const std::string& weight_map) { Add(kIndex, "{\"metadata\":{},\"weight_map\":" + weight_map + "}"); }
  absl::StatusOr<Checkpoint> Open() const { return Checkpoint::Open(files_); }

 private:
  TempDir dir_;
  ModelFiles files_;
};

TEST(Checkpoint, OneFileByItsUsualName) {
  Folder folder;
  folder.AddShard("model.safetensors", {"a", "b"});
  folder.AddShard("other.safetensors", {"c"});
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, folder.Open());
  EXPECT_EQ(checkpoint.tensors().size(), 2u);
  EXPECT_THAT(checkpoint.shards(), ::testing::ElementsAre(::testing::Key("model.safetensors")));
  EXPECT_THAT(checkpoint.Find("c", "is the output head"), HasReason("TENSOR_MISSING"));
  EXPECT_NE(checkpoint.Find("c", "is the output head").status().message().find("is the output head"),
            absl::string_view::npos);
}

TEST(Checkpoint, TheOnlyFileByAnyName) {
  Folder folder;
  folder.AddShard("weights.safetensors", {"a"});
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, folder.Open());
  EXPECT_EQ(checkpoint.tensors().at("a").file, "weights.safetensors");
}

TEST(Checkpoint, NoWeights) { EXPECT_THAT(Folder().Open(), HasReason("MODEL_FILE_MISSING")); }

TEST(Checkpoint, SeveralFilesWithoutAnIndex) {
  Folder folder;
  folder.AddShard("1.safetensors", {"a"});
  folder.AddShard("2.safetensors", {"b"});
  EXPECT_THAT(folder.Open(), HasReason("MODEL_FILE_MISSING"));
}

TEST(Checkpoint, ShardsThatTheIndexNames) {
  Folder folder;
  folder.AddShard("1.safetensors", {"a", "b"});
  folder.AddShard("2.safetensors", {"c"});
  folder.AddIndex(R"({"a":"1.safetensors","b":"1.safetensors","c":"2.safetensors"})");
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, folder.Open());
  EXPECT_EQ(checkpoint.tensors().size(), 3u);
  EXPECT_EQ(checkpoint.tensors().at("c").file, "2.safetensors");
  EXPECT_EQ(checkpoint.shards().size(), 2u);
}

TEST(Checkpoint, MissingShard) {
  Folder folder;
  folder.AddShard("1.safetensors", {"a"});
  folder.AddIndex(R"({"a":"1.safetensors","b":"2.safetensors"})");
  const auto opened = folder.Open();
  EXPECT_THAT(opened, HasReason("MODEL_FILE_MISSING"));
  EXPECT_EQ(GetErrorDetail(opened.status())->metadata.at("file"), "2.safetensors");
}

TEST(Checkpoint, AShardOutsideTheManifestIsNeverOpened) {
  for (const char* name : {"../1.safetensors", "/etc/passwd", ""}) {
    Folder folder;
    folder.AddIndex(R"({"a":")" + std::string(name) + "\"}");
    EXPECT_THAT(folder.Open(), HasReason("MODEL_FILE_MISSING")) << name;
  }
}

// What the shards hold counts: an index that says otherwise is noted.
TEST(Checkpoint, TensorsThatTheIndexLacksOrPlacesElsewhere) {
  Folder folder;
  folder.AddShard("1.safetensors", {"a", "c"});
  folder.AddShard("2.safetensors", {"b"});
  folder.AddIndex(R"({"a":"2.safetensors","b":"2.safetensors","d":"1.safetensors"})");
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, folder.Open());
  EXPECT_EQ(checkpoint.tensors().size(), 3u);
  EXPECT_EQ(checkpoint.tensors().at("a").file, "1.safetensors");
  EXPECT_EQ(checkpoint.misplaced(), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(checkpoint.absent(), std::vector<std::string>{"d"});
  EXPECT_THAT(checkpoint.Find("d", "is needed"), HasReason("TENSOR_MISSING"));
}

TEST(Checkpoint, TensorInTwoShards) {
  Folder folder;
  folder.AddShard("1.safetensors", {"a", "b"});
  folder.AddShard("2.safetensors", {"b"});
  folder.AddIndex(R"({"a":"1.safetensors","b":"2.safetensors"})");
  EXPECT_THAT(folder.Open(), HasReason("CHECKPOINT_INDEX_MISMATCH"));
}

TEST(Checkpoint, TensorTwiceInTheIndex) {
  Folder folder;
  folder.AddShard("1.safetensors", {"a"});
  folder.AddIndex(R"({"a":"1.safetensors","a":"1.safetensors"})");
  EXPECT_THAT(folder.Open(), HasReason("JSON_DUPLICATE_KEY"));
}

TEST(Checkpoint, AnIndexOfTheWrongForm) {
  for (const char* text :
       {"", "[]", "{}", "null", "{\"weight_map\":[]}", "{\"weight_map\":null}", "{\"weight_map\":{"}) {
    Folder folder;
    folder.AddShard("1.safetensors", {"a"});
    folder.Add(kIndex, text);
    EXPECT_THAT(folder.Open(), HasReason("CHECKPOINT_INDEX_INVALID")) << text;
  }
  Folder folder;
  folder.AddIndex(R"({"a":1})");
  EXPECT_THAT(folder.Open(), HasReason("CHECKPOINT_INDEX_INVALID"));
}

TEST(Checkpoint, ADamagedShardIsNamed) {
  Folder folder;
  folder.Add("1.safetensors", SafetensorsBytes("{}", "x"));
  folder.AddIndex(R"({"a":"1.safetensors"})");
  const auto opened = folder.Open();
  EXPECT_THAT(opened, HasReason("SAFETENSORS_TRAILING_BYTES"));
  EXPECT_EQ(GetErrorDetail(opened.status())->metadata.at("file"), "1.safetensors");
}

}  // namespace
}  // namespace bitwright::worker
