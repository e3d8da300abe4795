#include "client/api/model_dir.h"

#include <filesystem>
#include <map>

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

TEST(ModelDir, TakesWhatTheModelConsistsOf) {
  TempDir dir;
  for (const char* path :
       {"config.json", "tokenizer.json", "model.safetensors", "sub/extra.txt", "README.md", ".gitattributes",
        ".git/config", "pytorch_model.bin", "consolidated.safetensors", "checkpoint-500/model.safetensors"}) {
    Put(dir, path, path);
  }
  Put(dir, "config.json", "{}");
  Put(dir, "blob", "license");
  std::filesystem::create_symlink(dir / "blob", dir / "LICENSE");
  ASSERT_OK_AND_ASSIGN(const ModelDir model, ScanModelDir(dir.path() + "/"));
  EXPECT_EQ(Paths(model.files),
            (std::vector<std::string>{"LICENSE", "config.json", "model.safetensors", "tokenizer.json"}));
  EXPECT_EQ(model.files[0].size_bytes, 7) << "links to files are followed, as the hub's cache is made of them";
  EXPECT_EQ(model.files[1].size_bytes, 2);
  EXPECT_EQ(model.size_bytes(), 7 + 2 + 17 + 14);
  EXPECT_TRUE(model.Has("tokenizer.json"));
  EXPECT_FALSE(model.Has("README.md"));
  std::vector<std::string> ignored;
  for (const IgnoredFile& file : model.ignored) ignored.push_back(file.path);
  EXPECT_EQ(ignored, (std::vector<std::string>{"README.md", "blob", "checkpoint-500/model.safetensors",
                                               "consolidated.safetensors", "pytorch_model.bin", "sub/extra.txt"}));
  EXPECT_EQ(model.ignored_bytes(), 9 + 7 + 32 + 24 + 17 + 13);
}

// models--org--name/snapshots/{commit}/{file} -> ../../blobs/{hash}, as huggingface_hub lays it out.
TEST(ModelDir, ASnapshotOfTheHubsCacheHasTheNamesOfItsLinks) {
  TempDir dir;
  const std::string snapshot = dir / "models--org--name/snapshots/0123abcd";
  const std::map<std::string, std::string> files = {{"config.json", "{}"},
                                                    {"model-00001-of-00002.safetensors", "a"},
                                                    {"model-00002-of-00002.safetensors", "bb"},
                                                    {"model.safetensors.index.json",
                                                     R"({"weight_map":{"x":"model-00001-of-00002.safetensors",
                                                                       "y":"model-00002-of-00002.safetensors"}})"},
                                                    {"additional_chat_templates/tool.jinja", "t"}};
  int number = 0;
  for (const auto& [path, text] : files) {
    const std::string blob = "b10b" + std::to_string(number++);
    Put(dir, "models--org--name/blobs/" + blob, text);
    const std::filesystem::path link = std::filesystem::path(snapshot) / path;
    std::filesystem::create_directories(link.parent_path());
    std::filesystem::create_symlink((path.find('/') == std::string::npos ? "../../blobs/" : "../../../blobs/") + blob,
                                    link);
  }
  ASSERT_OK_AND_ASSIGN(const ModelDir model, ScanModelDir(snapshot));
  std::vector<std::string> names;
  for (const auto& [path, text] : files) names.push_back(path);
  EXPECT_EQ(Paths(model.files), names);
  for (const ModelFile& file : model.files) {
    EXPECT_EQ(file.size_bytes, static_cast<int64_t>(files.at(file.path).size()));
    EXPECT_EQ(file.local_path, snapshot + "/" + file.path);
  }
  EXPECT_TRUE(model.ignored.empty());
}

TEST(ModelDir, ALinkThatLeadsToNoFileIsNamed) {
  for (const char* path : {"config.json", "model.safetensors", "tokenizer.json"}) {
    for (const bool folder : {false, true}) {
      TempDir dir;
      for (const char* each : {"config.json", "model.safetensors", "tokenizer.json"}) Put(dir, each, "{}");
      std::filesystem::remove(dir / path);
      std::filesystem::create_directories(dir / "sub");
      std::filesystem::create_symlink(folder ? "sub" : "../blobs/gone", dir / path);
      const auto model = ScanModelDir(dir.path());
      EXPECT_THAT(model, HasReason("MODEL_LINK_BROKEN")) << path;
      EXPECT_NE(model.status().message().find(dir / path), absl::string_view::npos) << model.status();
      EXPECT_NE(model.status().message().find(folder ? "folder" : "../blobs/gone"), absl::string_view::npos);
    }
  }
  TempDir dir;
  Put(dir, "config.json", "{}");
  Put(dir, "model.safetensors");
  std::filesystem::create_symlink("gone", dir / "pytorch_model.bin");
  ASSERT_OK_AND_ASSIGN(const ModelDir model, ScanModelDir(dir.path()));
  EXPECT_EQ(model.files.size(), 2U) << "what is no file of the model may lead anywhere";
  EXPECT_TRUE(model.ignored.empty());
}

TEST(ModelDir, AGgufThatIsNamedIsTheModelWithItsOtherParts) {
  TempDir dir;
  for (const char* path : {"a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "b.gguf", "config.json"}) Put(dir, path);
  EXPECT_THAT(ScanModelDir(dir.path()), HasReason("GGUF_AMBIGUOUS"));
  ASSERT_OK_AND_ASSIGN(ModelDir model, ScanModelDir(dir / "b.gguf"));
  EXPECT_EQ(Paths(model.files), std::vector<std::string>{"b.gguf"});
  EXPECT_TRUE(model.ignored.empty());
  for (const char* part : {"a-00001-of-00002.gguf", "a-00002-of-00002.gguf"}) {
    ASSERT_OK_AND_ASSIGN(model, ScanModelDir(dir / part));
    EXPECT_EQ(Paths(model.files), (std::vector<std::string>{"a-00001-of-00002.gguf", "a-00002-of-00002.gguf"}));
  }
  std::filesystem::remove(dir / "a-00002-of-00002.gguf");
  EXPECT_THAT(ScanModelDir(dir / "a-00001-of-00002.gguf"), HasReason("MODEL_FILE_MISSING"));
  std::filesystem::remove(dir / "a-00001-of-00002.gguf");
  ASSERT_OK_AND_ASSIGN(model, ScanModelDir(dir.path()));
  EXPECT_EQ(Paths(model.files), std::vector<std::string>{"b.gguf"}) << "a folder's only one";
  EXPECT_EQ(model.ignored.size(), 1U) << "its config.json";
  Put(dir, "config.json", "{}");
  Put(dir, "model.safetensors");
  ASSERT_OK_AND_ASSIGN(model, ScanModelDir(dir.path()));
  EXPECT_EQ(Paths(model.files), (std::vector<std::string>{"config.json", "model.safetensors"})) << "safetensors first";
  EXPECT_THAT(ScanModelDir(dir / "none.gguf"), HasReason("FILE_UNREADABLE"));
}

TEST(ModelDir, SaysWhatIsMissing) {
  TempDir dir;
  EXPECT_THAT(ScanModelDir(dir / "none"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ScanModelDir(dir / "none"), HasReason("FILE_UNREADABLE"));
  EXPECT_THAT(ScanModelDir(dir.path()), StatusIs(absl::StatusCode::kInvalidArgument));
  Put(dir, "model.safetensors");
  EXPECT_NE(ScanModelDir(dir.path()).status().message().find("config.json"), absl::string_view::npos);
  EXPECT_NE(ScanModelDir(dir / "model.safetensors").status().message().find("not a folder"), absl::string_view::npos);
  std::filesystem::remove(dir / "model.safetensors");
  Put(dir, "config.json", "{}");
  EXPECT_THAT(ScanModelDir(dir.path()), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ModelDir, NamesOfFilesThatAreNotTheModelDoNotMatter) {
  TempDir dir;
  Put(dir, "config.json", "{}");
  Put(dir, "model.safetensors");
  for (const char* name : {"a\nb.txt", "not\xffutf8.txt", "back\\slash.txt", "\xe2\x28\xa1"}) Put(dir, name);
  Put(dir, std::string(150, 'd') + "/" + std::string(150, 'f'));
  ASSERT_OK_AND_ASSIGN(const ModelDir model, ScanModelDir(dir.path()));
  EXPECT_EQ(model.files.size(), 2u);
  EXPECT_EQ(model.ignored.size(), 5u);
}

TEST(ModelDir, NamesOfTheModelAreChecked) {
  for (const char* name : {"LICENSE\xff", "LICENSE\\x", "LICENSE\n"}) {
    TempDir dir;
    Put(dir, "config.json", "{}");
    Put(dir, "model.safetensors");
    Put(dir, name);
    const auto model = ScanModelDir(dir.path());
    // Whatever counts as part of the model is refused; what does not is left where it is.
    if (model.ok()) {
      EXPECT_EQ(model->ignored.size(), 1u);
    } else {
      EXPECT_THAT(model, HasReason("MANIFEST_PATH_INVALID"));
    }
  }
}

TEST(LocalFile, WritingToAFullDiskSaysSo) {
  EXPECT_THAT(WriteWholeFile("/nowhere/at/all", "x"), HasReason("FILE_UNWRITABLE"));
}

}  // namespace
}  // namespace bitwright::client
