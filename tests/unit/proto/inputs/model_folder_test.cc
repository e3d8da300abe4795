#include "proto/inputs/model_folder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/status_matchers.h"
#include "tests/unit/proto/inputs/folder_of.h"

namespace bitwright {
namespace {

using Parts = std::map<std::string, FilePart>;

Parts PartsOf(const absl::StatusOr<std::vector<SortedFile>>& sorted) {
  Parts parts;
  EXPECT_THAT(sorted, IsOk());
  if (!sorted.ok()) return parts;
  for (const SortedFile& file : *sorted) {
    parts[file.path] = file.part;
    EXPECT_EQ(file.why.empty(), file.part != FilePart::kIgnored) << file.path;
  }
  return parts;
}

std::string WhyOf(const std::string& path) {
  const auto sorted = SortModelFiles(FolderOf({{"config.json", kLlama}, {"model.safetensors", ""}, {path, ""}}));
  EXPECT_THAT(sorted, IsOk()) << path;
  for (const SortedFile& file : *sorted) {
    if (file.path == path) return file.why;
  }
  return "?";
}

TEST(ModelFolder, OneFileOfWeightsComesBeforeAnIndexAndShards) {
  const Parts parts = PartsOf(SortModelFiles(FolderOf({{"config.json", kLlama},
                                                       {"model.safetensors", ""},
                                                       {"model.safetensors.index.json", "{}"},
                                                       {"model-00001-of-00001.safetensors", ""},
                                                       {"pytorch_model.bin", ""}})));
  EXPECT_EQ(parts, (Parts{{"config.json", FilePart::kConfig},
                          {"model.safetensors", FilePart::kWeights},
                          {"model.safetensors.index.json", FilePart::kIgnored},
                          {"model-00001-of-00001.safetensors", FilePart::kIgnored},
                          {"pytorch_model.bin", FilePart::kIgnored}}));
}

TEST(ModelFolder, ShardsThatTheIndexNamesAndNoOthers) {
  const Parts parts = PartsOf(SortModelFiles(
      FolderOf({{"config.json", kLlama},
                {"model.safetensors.index.json", R"({"weight_map":{"a":"1.safetensors","b":"part/2.safetensors"}})"},
                {"1.safetensors", ""},
                {"part/2.safetensors", ""},
                {"consolidated.safetensors", ""}})));
  EXPECT_EQ(parts.at("1.safetensors"), FilePart::kWeights);
  EXPECT_EQ(parts.at("part/2.safetensors"), FilePart::kWeights);
  EXPECT_EQ(parts.at("model.safetensors.index.json"), FilePart::kWeights);
  EXPECT_EQ(parts.at("consolidated.safetensors"), FilePart::kIgnored);
}

TEST(ModelFolder, TheOnlySafetensorsFileByAnyName) {
  const Parts parts = PartsOf(SortModelFiles(
      FolderOf({{"config.json", kLlama}, {"weights.safetensors", ""}, {"checkpoint-500/model.safetensors", ""}})));
  EXPECT_EQ(parts.at("weights.safetensors"), FilePart::kWeights);
  EXPECT_EQ(parts.at("checkpoint-500/model.safetensors"), FilePart::kIgnored);
}

TEST(ModelFolder, WhatIsMissingIsNamed) {
  const auto missing = [](std::map<std::string, std::string> files) {
    const absl::Status status = SortModelFiles(FolderOf(std::move(files))).status();
    EXPECT_THAT(status, HasReason("MODEL_FILE_MISSING"));
    const auto detail = GetErrorDetail(status);
    return detail ? detail->metadata.at("file") : "";
  };
  EXPECT_EQ(missing({{"model.safetensors", ""}}), "config.json");
  EXPECT_EQ(missing({{"config.json", kLlama}}), "model.safetensors");
  EXPECT_EQ(missing({{"config.json", kLlama}, {"a.safetensors", ""}, {"b.safetensors", ""}}),
            "model.safetensors.index.json");
  EXPECT_EQ(missing({{"config.json", kLlama},
                     {"1.safetensors", ""},
                     {"model.safetensors.index.json", R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})"}}),
            "2.safetensors");
}

TEST(ModelFolder, AnIndexOfTheWrongForm) {
  for (const char* text :
       {"", "[]", "{}", R"({"weight_map":[]})", R"({"weight_map":{}})", R"({"weight_map":{"a":1}})"}) {
    EXPECT_THAT(SortModelFiles(FolderOf({{"config.json", kLlama}, {"model.safetensors.index.json", text}})),
                HasReason("CHECKPOINT_INDEX_INVALID"))
        << text;
  }
}

TEST(ModelFolder, WhatAnArtifactCarries) {
  for (const char* path : {"tokenizer.json",
                           "tokenizer_config.json",
                           "tokenizer.model",
                           "vocab.json",
                           "merges.txt",
                           "vocab.txt",
                           "added_tokens.json",
                           "special_tokens_map.json",
                           "chat_template.jinja",
                           "chat_template.json",
                           "additional_chat_templates/tool_use.jinja",
                           "generation_config.json",
                           "preprocessor_config.json",
                           "processor_config.json",
                           "LICENSE",
                           "LICENSE.md",
                           "license.txt",
                           "LICENCE",
                           "COPYING",
                           "NOTICE.txt",
                           "USE_POLICY.md",
                           "qwen.tiktoken"}) {
    EXPECT_TRUE(IsCarriedFile(path)) << path;
  }
  for (const char* path : {"config.json", "README.md", "model.safetensors", "notes.txt", "sub/tokenizer.json",
                           "sub/LICENSE", "additional_chat_templates/notes.txt", "modeling_x.py"}) {
    EXPECT_FALSE(IsCarriedFile(path)) << path;
  }
}

TEST(ModelFolder, IgnoredFilesSayWhatTheyAre) {
  EXPECT_EQ(WhyOf("consolidated.safetensors"), "a second copy of the weights");
  EXPECT_EQ(WhyOf("pytorch_model.bin"), "a second copy of the weights");
  EXPECT_EQ(WhyOf("pytorch_model.bin.index.json"), "a second copy of the weights");
  EXPECT_EQ(WhyOf("tf_model.h5"), "a second copy of the weights");
  EXPECT_EQ(WhyOf("flax_model.msgpack"), "a second copy of the weights");
  EXPECT_EQ(WhyOf("checkpoint-500/model.safetensors"), "a checkpoint of a training run");
  EXPECT_EQ(WhyOf("training_args.bin"), "the state of a training run");
  EXPECT_EQ(WhyOf("onnx/model.onnx"), "the model in another form");
  EXPECT_EQ(WhyOf("model-q4.gguf"), "the model in another form");
  EXPECT_EQ(WhyOf("README.md"), "the model's card; the artifact has one of its own");
  EXPECT_EQ(WhyOf(".gitattributes"), "hidden");
  EXPECT_EQ(WhyOf("train.py"), "code that the artifact does without");
  EXPECT_EQ(WhyOf("notes.txt"), "not part of the model");
}

TEST(ModelFolder, ATokenizersCodeGoesWithItsConfig) {
  const Parts parts = PartsOf(SortModelFiles(
      FolderOf({{"config.json", R"({"auto_map":{"AutoModelForCausalLM":"modeling_x.XForCausalLM"}})"},
                {"tokenizer_config.json", R"({"auto_map":{"AutoTokenizer":["tokenization_x.XTokenizer",null]}})"},
                {"processor_config.json", R"({"auto_map":{"AutoProcessor":"owner/name--processing_x.XProcessor"}})"},
                {"tokenization_x.py", "import re\n  from .words import Words\nfrom .lost import Lost\n"},
                {"words.py", "from .tokenization_x import XTokenizer\n"},
                {"modeling_x.py", "from .words import Words\n"},
                {"processing_x.py", ""},
                {"model.safetensors", ""}})));
  EXPECT_EQ(parts.at("tokenization_x.py"), FilePart::kCarried);
  EXPECT_EQ(parts.at("words.py"), FilePart::kCarried);
  EXPECT_EQ(parts.at("modeling_x.py"), FilePart::kIgnored);
  EXPECT_EQ(parts.at("processing_x.py"), FilePart::kIgnored);
}

TEST(ModelFolder, FilesComeSortedByPath) {
  ModelFolder folder = FolderOf({{"config.json", kLlama}, {"model.safetensors", ""}, {"a.txt", ""}, {"z.txt", ""}});
  std::reverse(folder.paths.begin(), folder.paths.end());
  ASSERT_OK_AND_ASSIGN(const auto sorted, SortModelFiles(folder));
  EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end(),
                             [](const SortedFile& a, const SortedFile& b) { return a.path < b.path; }));
}

}  // namespace
}  // namespace bitwright
