#include "proto/inputs/model_refusals.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "proto/contract/architectures.h"
#include "proto/inputs/import_form.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/proto/inputs/folder_of.h"

namespace bitwright {
namespace {

using Files = std::map<std::string, std::string>;

constexpr char kPointer[] =
    "version https://git-lfs.github.com/spec/v1\noid "
    "sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e"
    "2393\nsize 12345\n";

Files Whole(const std::string& config = kLlama) {
  return {{"config.json", config}, {"model.safetensors", "12345678"}, {"tokenizer.json", "{}"}};
}
Files With(Files files, const std::string& path, const std::string& text = "") {
  files[path] = text;
  return files;
}
std::string Config(const std::string& architecture, const std::string& type, const std::string& more = "") {
  return R"({"architectures":[")" + architecture + R"("],"model_type":")" + type + "\"" + more + "}";
}

// A folder for every way in which a row fits: its reason, and what the sentence has to name.
struct Case {
  std::string reason;
  Files files;
  std::string named;
};

std::vector<Case> Cases() {
  return {
      {"FILE_IS_LFS_POINTER", With(Whole(), "model.safetensors", kPointer), "'model.safetensors'"},
      {"FILE_IS_LFS_POINTER", With(Whole(), "tokenizer.json", kPointer), "'tokenizer.json'"},
      {"FILE_IS_LFS_POINTER", With(Whole(), "config.json", kPointer), "'config.json'"},
      {"FILE_IS_LFS_POINTER",
       {{"config.json", kLlama},
        {"model.safetensors.index.json", R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})"},
        {"1.safetensors", kPointer},
        {"2.safetensors", kPointer}},
       "'1.safetensors' (and 1 more)"},
      {"FILE_IS_LFS_POINTER",
       {{"config.json", kLlama}, {"model.safetensors.index.json", kPointer}, {"1.safetensors", kPointer}},
       "'1.safetensors' (and 1 more)"},
      {"FILE_IS_LFS_POINTER", {{"model.gguf", kPointer}}, "'model.gguf'"},
      {"GGUF_AMBIGUOUS", {{"a-f16.gguf", "GGUF"}, {"a-q8_0.gguf", "GGUF"}}, "'a-f16.gguf', 'a-q8_0.gguf'"},
      {"GGUF_AMBIGUOUS", {{"a-00001-of-00002.gguf", ""}, {"a-00002-of-00002.gguf", ""}, {"b.gguf", ""}}, "'b.gguf'"},
      {"MODEL_IS_ADAPTER",
       {{"adapter_config.json", R"({"peft_type":"LORA","base_model_name_or_path":"some/base"})"},
        {"adapter_model.safetensors", ""}},
       "LORA adapter of 'some/base'"},
      {"MODEL_IS_ADAPTER",
       {{"config.json", kLlama}, {"adapter_config.json", "{}"}, {"adapter_model.safetensors", ""}},
       "adapter"},
      {"MODEL_IS_ADAPTER", {{"adapter_model.bin", ""}}, "merge_and_unload"},
      {"MODEL_IS_DIFFUSION",
       {{"model_index.json", R"({"_class_name":"StableDiffusionPipeline"})"}, {"unet/config.json", "{}"}},
       "StableDiffusionPipeline"},
      {"MODEL_IS_DIFFUSION", {{"unet/diffusion_pytorch_model.safetensors", ""}}, "unet/"},
      {"WEIGHTS_IN_MAKERS_FORM", {{"params.json", "{}"}, {"consolidated.safetensors", ""}}, "consolidated.safetensors"},
      {"WEIGHTS_IN_MAKERS_FORM", {{"config.json", kLlama}, {"consolidated.00.pth", ""}}, "'consolidated.00.pth'"},
      {"JSON_INVALID", Whole("{"), "not JSON"},
      {"JSON_INVALID", Whole("[1]"), "not a JSON object"},
      {"MODEL_ALREADY_QUANTIZED",
       Whole(Config("LlamaForCausalLM", "llama", R"(,"quantization_config":{"quant_method":"gptq","bits":4})")),
       "gptq, 4 bits"},
      {"MODEL_ALREADY_QUANTIZED",
       Whole(Config("Qwen2ForCausalLM", "qwen2", R"(,"quantization_config":{"quant_method":"awq"})")), "awq"},
      {"MODEL_ALREADY_QUANTIZED",
       Whole(Config("LlamaForCausalLM", "llama", R"(,"quantization_config":{"load_in_4bit":true})")),
       "quantization_config"},
      {"MODEL_ALREADY_QUANTIZED",
       Whole(Config("GptOssForCausalLM", "gpt_oss", R"(,"quantization_config":{"quant_method":"mxfp4"})")), "mxfp4"},
      {"MODEL_ALREADY_QUANTIZED",
       Whole(Config("LlamaForCausalLM", "llama", R"(,"compression_config":{"format":"pack-quantized"})")),
       "compression_config"},
      {"MODEL_ALREADY_QUANTIZED", With(Whole(), "quantize_config.json", "{}"), "quantize_config.json"},
      {"MODEL_IS_ENCODER_DECODER", Whole(Config("T5ForConditionalGeneration", "t5")), "T5ForConditionalGeneration"},
      {"MODEL_IS_ENCODER_DECODER", Whole(Config("NewModel", "new", R"(,"is_encoder_decoder":true)")), "NewModel"},
      {"MODEL_IS_MULTIMODAL",
       Whole(Config("LlavaForConditionalGeneration", "llava", R"(,"vision_config":{},"text_config":{})")),
       "LlavaForConditionalGeneration"},
      {"MODEL_IS_ENCODER", Whole(Config("BertForMaskedLM", "bert")), "BertForMaskedLM"},
      {"MODEL_IS_ENCODER", Whole(Config("RobertaModel", "roberta")), "RobertaModel"},
      {"MODEL_IS_ENCODER", Whole(R"({"model_type":"modernbert"})"), "modernbert"},
      {"MODEL_IS_ENCODER", With(Whole(Config("LlamaModel", "llama")), "config_sentence_transformers.json", "{}"),
       "sentence-transformers"},
      {"ARCHITECTURE_UNSUPPORTED", Whole(Config("FalconForCausalLM", "falcon")), "'FalconForCausalLM'"},
      {"ARCHITECTURE_UNSUPPORTED", Whole(R"({"model_type":"mamba"})"), "'mamba'"},
      {"WEIGHTS_NOT_SAFETENSORS", {{"config.json", kLlama}, {"pytorch_model.bin", ""}}, "'pytorch_model.bin'"},
      {"WEIGHTS_NOT_SAFETENSORS", {{"config.json", kLlama}, {"tf_model.h5", ""}}, "'tf_model.h5'"},
      {"WEIGHTS_NOT_SAFETENSORS", {{"config.json", kLlama}, {"flax_model.msgpack", ""}}, "save_pretrained"},
  };
}

TEST(ModelRefusals, EachFolderIsCalledByItsName) {
  for (const Case& one : Cases()) {
    const absl::Status status = CheckModelFolder(FolderOf(one.files));
    EXPECT_THAT(status, HasReason(one.reason)) << one.named;
    EXPECT_NE(status.message().find(one.named), absl::string_view::npos) << status;
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  }
}

// A GGUF is a model by itself; a quantized checkpoint of these methods is imported.
TEST(ModelRefusals, WhatIsImportedIsNotRefused) {
  const std::vector<Files> folders = {
      {{"model-f16.gguf", "GGUF"}},
      {{"config.json", "no JSON"}, {"a.gguf", ""}, {"tokenizer.json", "{}"}, {"pytorch_model.bin", ""}},
      {{"a.gguf", ""}, {"mmproj-a.gguf", ""}, {"imatrix.gguf", ""}},
      {{"a-00001-of-00002.gguf", ""}, {"a-00002-of-00002.gguf", ""}},
      Whole(Config("Qwen3ForCausalLM", "qwen3",
                   R"(,"quantization_config":{"quant_method":"fp8","weight_block_size":[128,128]})")),
      Whole(Config("LlamaForCausalLM", "llama",
                   R"(,"quantization_config":{"quant_method":"compressed-tensors","format":"float-quantized"})")),
  };
  for (const Files& files : folders) {
    EXPECT_THAT(CheckModelFolder(FolderOf(files)), IsOk());
    EXPECT_THAT(SortModelFiles(FolderOf(files)), IsOk());
    EXPECT_TRUE(ImportFormOf(FolderOf(files)).has_value());
  }
  EXPECT_FALSE(ImportFormOf(FolderOf(Whole())).has_value());
  EXPECT_FALSE(ImportFormOf(FolderOf({{"config.json", kLlama}, {"model.safetensors", ""}, {"a.gguf", ""}})))
      << "safetensors come first";
  EXPECT_EQ(ImportFormOf(FolderOf(folders[4]))->stored_as(), "FP8 (E4M3, scales of blocks of 128 × 128)");
  EXPECT_THAT(CheckModelFolder(FolderOf({{"a-00002-of-00002.gguf", ""}})), HasReason("MODEL_FILE_MISSING"));
}

TEST(ModelRefusals, NoRowIsWithoutACase) {
  std::set<std::string> tested{"WEIGHTS_PREFIXED"};
  for (const Case& one : Cases()) tested.insert(one.reason);
  for (const std::string_view reason : RefusalReasons()) EXPECT_TRUE(tested.contains(std::string(reason))) << reason;
  EXPECT_EQ(tested.size(), RefusalReasons().size());
}

TEST(ModelRefusals, TheReadmeListsEveryRowInOrder) {
  std::ifstream file(SourcePath("proto/inputs/README.md"));
  std::vector<std::string> listed;
  for (std::string line; std::getline(file, line);) {
    const size_t end = line.starts_with("| `") ? line.find("` |") : std::string::npos;
    if (end != std::string::npos) listed.push_back(line.substr(3, end - 3));
  }
  const std::vector<std::string_view> reasons = RefusalReasons();
  EXPECT_EQ(listed, std::vector<std::string>(reasons.begin(), reasons.end()));
}

TEST(ModelRefusals, EverySupportedArchitectureIsListed) {
  const absl::Status status = CheckModelFolder(FolderOf(Whole(Config("FalconForCausalLM", "falcon"))));
  for (const auto& one : kArchitectures) {
    EXPECT_NE(status.message().find(std::string(one.architecture)), absl::string_view::npos) << status;
    EXPECT_THAT(CheckModelFolder(FolderOf(Whole(Config(std::string(one.architecture), std::string(one.family))))),
                IsOk());
  }
}

TEST(ModelRefusals, NoConfig) {
  EXPECT_THAT(CheckModelFolder(FolderOf({{"model.safetensors", ""}})), HasReason("MODEL_FILE_MISSING"));
  EXPECT_THAT(CheckModelFolder(FolderOf({})), HasReason("MODEL_FILE_MISSING"));
}

TEST(ModelRefusals, WhatLiesBesideAWholeModelIsNoReason) {
  Files files = Whole();
  for (const char* path : {"consolidated.safetensors", "pytorch_model.bin", "onnx/model.onnx", "tf_model.h5",
                           "model.gguf", "training_args.bin", "checkpoint-500/adapter_config.json"}) {
    files = With(files, path, kPointer);
    EXPECT_THAT(CheckModelFolder(FolderOf(files)), IsOk()) << path;
  }
  EXPECT_THAT(CheckModelFolder(FolderOf(With(Whole(), "adapter_config.json", "{}"))), IsOk());
  EXPECT_THAT(CheckModelFolder(FolderOf(With(Whole(), "config_sentence_transformers.json", "{}"))), IsOk());
  EXPECT_THAT(CheckModelFolder(FolderOf(Whole(Config("LlamaForCausalLM", "llama", R"(,"quantization_config":null)")))),
              IsOk());
  EXPECT_THAT(CheckModelFolder(FolderOf(Whole(R"({"model_type":"qwen3"})"))), IsOk());
}

TEST(ModelRefusals, TensorsOfAWrapper) {
  const auto named = [](std::vector<std::string> names) {
    const absl::Status status = CheckTensorNames(names);
    EXPECT_THAT(status, HasReason("WEIGHTS_PREFIXED"));
    const auto detail = GetErrorDetail(status);
    return detail ? detail->metadata.at("found") : "";
  };
  EXPECT_EQ(named({"base_model.model.model.embed_tokens.weight", "base_model.model.lm_head.weight"}),
            "'base_model.model.model.'");
  EXPECT_EQ(named({"language_model.model.embed_tokens.weight"}), "'language_model.model.'");
  EXPECT_EQ(named({"model.language_model.embed_tokens.weight", "model.visual.patch.weight"}),
            "'model.language_model.'");
  EXPECT_EQ(named({"embed_tokens.weight", "layers.0.self_attn.q_proj.weight", "norm.weight"}), "no prefix");
  EXPECT_THAT(CheckTensorNames({"model.embed_tokens.weight", "other.embed_tokens.weight"}), IsOk());
  EXPECT_THAT(CheckTensorNames({"model.layers.0.self_attn.q_proj.weight"}), IsOk());
  EXPECT_THAT(CheckTensorNames({"transformer.wte.weight"}), IsOk());
}

}  // namespace
}  // namespace bitwright
