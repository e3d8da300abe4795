#include <filesystem>
#include <set>

#include "proto/contract/task_names.h"
#include "tests/support/small_model.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tasks/task_chain.h"
#include "workers/base/files.h"

// Inspection of a model in another form, its import, and the inspection of what that made.
namespace bitwright::worker {
namespace {

constexpr char kFp8[] = R"(,"quantization_config":{"quant_method":"fp8","weight_block_size":[128,128]}})";

Blobs BlobsOf(const SmallModel& model) {
  const TempDir dir;
  Blobs blobs;
  for (const auto& [name, file] : model.Write(dir.path())) blobs[ModelFileName(name)] = *ReadFile(file.path);
  return blobs;
}

// The small model with linears of E4M3, finite codes.
Blobs Fp8Blobs() {
  SmallModel model = SmallModel::Make();
  const std::map<std::string, SmallModel::Tensor> tensors = model.tensors;
  for (const auto& [name, tensor] : tensors) {
    if (!name.ends_with("_proj.weight")) continue;
    std::string codes(tensor.bytes.size() / 2, '\0');
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<char>((i * 37 % 60) | (i % 2 == 0 ? 0x80 : 0));
    model.tensors[name] = {DType::kF8E4M3, tensor.shape, codes};
    model.tensors[name + "_scale_inv"] = {DType::kF32, {1, 1}, Encode({0.25F}, DType::kF32)};
  }
  model.config = model.config.substr(0, model.config.rfind('}')) + kFp8;
  Blobs blobs = BlobsOf(model);
  blobs[ModelFileName("README.md")] = "a card";
  return blobs;
}

std::vector<Blobs> GgufBlobs() {
  std::vector<Blobs> all;
  for (const auto& entry : std::filesystem::directory_iterator(SourcePath("tests/fuzz/corpus/import_gguf"))) {
    all.push_back({{ModelFileName("model.gguf"), *ReadFile(entry.path().string())}});
  }
  return all;
}

v1::TaskSpec Inspect(const v1::Import* imported = nullptr) {
  v1::TaskSpec spec;
  spec.set_kind(TaskKind::kInspect);
  spec.mutable_inspect();
  if (imported != nullptr) *spec.mutable_inspect()->mutable_imported() = *imported;
  return spec;
}

v1::TaskSpec Import() {
  v1::TaskSpec spec;
  spec.set_kind(TaskKind::kImport);
  spec.mutable_import();
  return spec;
}

absl::StatusOr<v1::ModelInfo> InfoOf(const v1::TaskSpec& spec, const Blobs& blobs) {
  const auto outputs = RunOnBlobs(spec, blobs);
  if (!outputs.ok()) return outputs.status();
  v1::ModelInfo info;
  EXPECT_TRUE(info.ParseFromString(outputs->at(TaskFile::kInfo)));
  return info;
}

// The outputs of an import as the inputs of what reads the model.
Blobs ModelOf(const Blobs& outputs) {
  v1::Manifest manifest;
  EXPECT_TRUE(manifest.ParseFromString(outputs.at(TaskFile::kManifest)));
  Blobs model;
  for (const v1::FileEntry& file : manifest.files()) {
    const std::string& bytes = outputs.at(ArtifactFileName(file.path()));
    EXPECT_EQ(static_cast<int64_t>(bytes.size()), file.digest().size_bytes());
    model[ModelFileName(file.path())] = bytes;
  }
  EXPECT_EQ(model.size() + 1, outputs.size());
  return model;
}

std::vector<std::string> ReasonsOf(const v1::ModelInfo& info) {
  std::vector<std::string> reasons;
  for (const v1::Notice& notice : info.notices()) reasons.push_back(notice.reason());
  return reasons;
}

TEST(ImportChain, AnFp8CheckpointBecomesTheModelThatItStandsFor) {
  const Blobs given = Fp8Blobs();
  ASSERT_OK_AND_ASSIGN(const v1::ModelInfo need, InfoOf(Inspect(), given));
  EXPECT_EQ(need.imported().form(), v1::Import::FP8);
  EXPECT_EQ(std::vector<std::string>(need.files().begin(), need.files().end()),
            (std::vector<std::string>{"config.json", "model.safetensors", "tokenizer.json"}));
  EXPECT_EQ(need.units_size(), 0) << "nothing else is said of it";
  Blobs read = given;
  read.erase(ModelFileName("README.md"));
  ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnBlobs(Import(), read));
  EXPECT_EQ(outputs, *RunOnBlobs(Import(), read, 1)) << "the same bytes again";
  const Blobs model = ModelOf(outputs);
  ASSERT_OK_AND_ASSIGN(const v1::ModelInfo info, InfoOf(Inspect(&need.imported()), model));
  EXPECT_EQ(info.dtype(), "BF16");
  EXPECT_EQ(info.imported().form(), v1::Import::FP8);
  EXPECT_EQ(ReasonsOf(info), (std::vector<std::string>{"FILES_LEFT_OUT", "MODEL_IMPORTED"}));
  // Of the same files alone the same is found.
  ASSERT_OK_AND_ASSIGN(v1::ModelInfo alone, InfoOf(Inspect(), model));
  EXPECT_FALSE(alone.has_imported());
  *alone.mutable_imported() = info.imported();
  *alone.mutable_notices() = info.notices();
  EXPECT_EQ(alone.SerializeAsString(), info.SerializeAsString());
}

TEST(ImportChain, EveryGgufOfTheCorpusIsImported) {
  std::set<std::string> families;
  for (const Blobs& given : GgufBlobs()) {
    ASSERT_OK_AND_ASSIGN(const v1::ModelInfo need, InfoOf(Inspect(), given));
    EXPECT_EQ(need.imported().form(), v1::Import::GGUF);
    ASSERT_OK_AND_ASSIGN(const Blobs outputs, RunOnBlobs(Import(), given));
    ASSERT_OK_AND_ASSIGN(const v1::ModelInfo info, InfoOf(Inspect(&need.imported()), ModelOf(outputs)));
    EXPECT_EQ(info.tokenizer_path(), "tokenizer.json");
    families.insert(info.family());
  }
  EXPECT_EQ(families, (std::set<std::string>{"gpt2", "llama", "qwen3_moe"}));
}

TEST(ImportChain, WhatIsMissingIsAnError) {
  const Blobs given = Fp8Blobs();
  for (const char* file : {"config.json", "model.safetensors"}) {
    Blobs blobs = given;
    blobs.erase(ModelFileName(file));
    EXPECT_THAT(RunOnBlobs(Import(), blobs), StatusIs(absl::StatusCode::kInvalidArgument)) << file;
  }
  EXPECT_THAT(RunOnBlobs(Import(), {}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(RunOnBlobs(Import(), SmallModelBlobs()), HasReason("TASK_INPUT_DAMAGED")) << "plain already";
  v1::Import imported;
  imported.set_form(v1::Import::FP8);
  EXPECT_THAT(RunOnBlobs(Inspect(&imported), given), HasReason("CONFIG_UNSUPPORTED")) << "what says it was imported";
  imported.set_form(static_cast<v1::Import::Form>(77));
  EXPECT_THAT(RunOnBlobs(Inspect(&imported), SmallModelBlobs()), HasReason("TASK_SPEC_INVALID"));
}

// Single bytes of headers, and files that end anywhere.
TEST(ImportChain, DamageIsAnErrorOrAnotherModel) {
  std::vector<Blobs> all = GgufBlobs();
  all.push_back(Fp8Blobs());
  int refused = 0;
  for (const Blobs& given : all) {
    for (const auto& [name, bytes] : given) {
      const size_t head = std::min<size_t>(bytes.size(), 3000);
      for (size_t at = 0; at < head; at += 1 + head / 60) {
        for (const bool cut : {false, true}) {
          Blobs blobs = given;
          if (cut) {
            blobs[name].resize(at);
          } else {
            blobs[name][at] = static_cast<char>(blobs[name][at] ^ 0x55);
          }
          const auto outputs = RunOnBlobs(Import(), blobs);
          if (outputs.ok()) continue;
          EXPECT_THAT(outputs, StatusIs(absl::StatusCode::kInvalidArgument)) << name << " " << at;
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace bitwright::worker
