#include "tests/support/small_model.h"

#include <cstring>
#include <random>

#include "proto/base/log.h"
#include "tests/support/fixtures.h"
#include "workers/base/files.h"
#include "workers/families/config.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

constexpr char kConfig[] = R"({
  "architectures": ["LlamaForCausalLM"],
  "hidden_size": 64,
  "intermediate_size": 96,
  "num_hidden_layers": 2,
  "num_attention_heads": 4,
  "num_key_value_heads": 2,
  "head_dim": 16,
  "vocab_size": 384,
  "max_position_embeddings": 128,
  "rms_norm_eps": 1e-05,
  "tie_word_embeddings": true
})";

}  // namespace

std::string Encode(const std::vector<float>& values, DType dtype) {
  std::string bytes;
  for (const float value : values) {
    if (dtype == DType::kF32) {
      bytes.append(reinterpret_cast<const char*>(&value), 4);
    } else {
      const uint16_t half = dtype == DType::kF16 ? FloatToF16(value) : FloatToBf16(value);
      bytes.append(reinterpret_cast<const char*>(&half), 2);
    }
  }
  return bytes;
}

SmallModel SmallModel::Make(DType dtype, uint32_t seed) {
  SmallModel model;
  model.config = kConfig;
  const auto config = ParseModelConfig(model.config);
  CHECK(config.ok()) << config.status();
  std::mt19937 random(seed);
  for (const TensorSpec& spec : RequiredTensors(*config)) {
    int64_t count = 1;
    for (const int64_t d : spec.shape) count *= d;
    const bool norm = spec.shape.size() == 1;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) {
      const float unit = static_cast<float>(random() % 20001) / 10000 - 1;  // −1..1
      value = norm ? 1 + 0.1f * unit : 0.3f * unit;
    }
    model.tensors[spec.name] = {dtype, spec.shape, Encode(values, dtype)};
  }
  return model;
}

ModelFiles SmallModel::Write(const std::string& dir) const {
  std::vector<TensorDeclaration> declared;
  for (const auto& [name, tensor] : tensors) declared.push_back({name, tensor.dtype, tensor.shape});
  const auto write = [&]() -> absl::Status {
    auto writer = SafetensorsWriter::Create(dir + "/model.safetensors", declared, {{"format", "pt"}});
    if (!writer.ok()) return writer.status();
    for (const auto& [name, tensor] : tensors) {
      const absl::Status appended = writer->Append(tensor.bytes.data(), tensor.bytes.size());
      if (!appended.ok()) return appended;
    }
    return writer->Close();
  };
  const absl::Status written = write();
  CHECK(written.ok()) << written;
  CHECK(WriteFile(dir + "/config.json", config).ok()) << dir;
  const auto tokenizer = ReadFile(SourcePath("tests/golden/tokenizer/gpt2-small/tokenizer.json"));
  CHECK(tokenizer.ok()) << tokenizer.status();
  CHECK(WriteFile(dir + "/tokenizer.json", *tokenizer).ok()) << dir;
  ModelFiles files;
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) files[name] = dir + "/" + name;
  return files;
}

}  // namespace bitwright::worker
