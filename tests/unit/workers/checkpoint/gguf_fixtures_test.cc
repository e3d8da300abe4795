#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"
#include "workers/checkpoint/gguf.h"
#include "workers/checkpoint/gguf_writer.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

using testing::ElementsAre;

// Models that the gguf package wrote, and the checkpoint that it wrote them from.
class GgufFixtures : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto shared = SharedDir();
    if (!shared) GTEST_SKIP() << kNoSharedData;
    path_ = *shared + "/fixtures/packing/gguf-models/llama-gqa-" + GetParam() + ".gguf";
    checkpoint_ = *shared + "/fixtures/models/llama-gqa/model.safetensors";
  }
  std::string path_;
  std::string checkpoint_;
};

INSTANTIATE_TEST_SUITE_P(Types, GgufFixtures, testing::Values("f32", "bf16"),
                         [](const auto& test) { return test.param; });

// "blk.1.attn_q.weight" → "model.layers.1.self_attn.q_proj.weight"
std::string CheckpointName(const std::string& name) {
  const std::map<std::string, std::string> parts = {{"token_embd", "model.embed_tokens"},
                                                    {"output_norm", "model.norm"},
                                                    {"output", "lm_head"},
                                                    {"attn_norm", "input_layernorm"},
                                                    {"attn_q", "self_attn.q_proj"},
                                                    {"attn_k", "self_attn.k_proj"},
                                                    {"attn_v", "self_attn.v_proj"},
                                                    {"attn_output", "self_attn.o_proj"},
                                                    {"ffn_norm", "post_attention_layernorm"},
                                                    {"ffn_gate", "mlp.gate_proj"},
                                                    {"ffn_up", "mlp.up_proj"},
                                                    {"ffn_down", "mlp.down_proj"}};
  std::string rest = name.substr(0, name.size() - std::string(".weight").size());
  std::string prefix;
  if (rest.starts_with("blk.")) {
    prefix = "model.layers." + rest.substr(4, 2);
    rest = rest.substr(6);
  }
  return prefix + parts.at(rest) + ".weight";
}

// The row of q_proj or k_proj, with heads of 16 rows, that llama.cpp has at `row`: its rotary pairs are neighbours,
// where the checkpoint has the halves of a head.
int64_t CheckpointRow(const std::string& name, int64_t row) {
  constexpr int64_t kHead = 16;
  if (name.find("attn_q.") == std::string::npos && name.find("attn_k.") == std::string::npos) return row;
  const int64_t within = row % kHead;
  return row - within + within % 2 * (kHead / 2) + within / 2;
}

float Element(const GgufTensor& tensor, size_t index) {
  if (tensor.type.name == "F32") {
    float value;
    std::memcpy(&value, tensor.bytes.data() + 4 * index, 4);
    return value;
  }
  EXPECT_EQ(tensor.type.name, "BF16");
  uint16_t bits;
  std::memcpy(&bits, tensor.bytes.data() + 2 * index, 2);
  return Bf16ToFloat(bits);
}

TEST_P(GgufFixtures, TensorsAreThoseOfTheCheckpoint) {
  ASSERT_OK_AND_ASSIGN(const GgufFile file, GgufFile::Open(path_, "model.gguf"));
  const FixtureTensors checkpoint = ReadFixture(checkpoint_);
  ASSERT_EQ(file.tensors().size(), checkpoint.size());
  for (const GgufTensor& tensor : file.tensors()) {
    SCOPED_TRACE(tensor.name);
    const FixtureTensor& wanted = bitwright::Find(checkpoint, CheckpointName(tensor.name));
    ASSERT_EQ(tensor.shape, wanted.shape);
    EXPECT_EQ(tensor.type.name, GetParam() == "bf16" && tensor.shape.size() == 2 ? "BF16" : "F32");
    const std::vector<float> values = wanted.ToFloat();
    const int64_t width = tensor.shape.back(), rows = wanted.elements() / width;
    int64_t wrong = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t from = tensor.shape.size() == 2 ? CheckpointRow(tensor.name, row) : row;
      for (int64_t i = 0; i < width; ++i) {
        const float value = values[static_cast<size_t>(from * width + i)];
        const float stored = Element(tensor, static_cast<size_t>(row * width + i));
        wrong += stored != (tensor.type.name == "BF16" ? Bf16ToFloat(FloatToBf16(value)) : value);
      }
    }
    EXPECT_EQ(wrong, 0);
  }
}

TEST_P(GgufFixtures, MetadataDescribeTheModel) {
  ASSERT_OK_AND_ASSIGN(const GgufFile file, GgufFile::Open(path_, "model.gguf"));
  const GgufMetadata& metadata = file.metadata();
  EXPECT_EQ(file.version(), 3u);
  EXPECT_EQ(file.alignment(), 32);
  EXPECT_EQ(metadata.entries().size(), 25u);
  EXPECT_EQ(metadata.Text("general.architecture").value(), "llama");
  EXPECT_EQ(metadata.Integer("llama.embedding_length").value(), 128);
  EXPECT_EQ(metadata.Integer("llama.attention.head_count").value(), 8);
  EXPECT_EQ(metadata.Integer("llama.attention.head_count_kv").value(), 2);
  EXPECT_EQ(metadata.Integer("llama.feed_forward_length").value(), 256);
  EXPECT_EQ(metadata.Real("llama.attention.layer_norm_rms_epsilon").value(), static_cast<double>(1e-5f));
  EXPECT_EQ(metadata.Real("llama.rope.freq_base").value(), 10000.0);
  EXPECT_FALSE(metadata.Truth("tokenizer.ggml.add_bos_token").value());
  ASSERT_OK_AND_ASSIGN(const auto tokens, metadata.Texts("tokenizer.ggml.tokens"));
  EXPECT_EQ(tokens.size(), 384u);
  EXPECT_EQ(tokens[0], "<|endoftext|>");
  ASSERT_OK_AND_ASSIGN(const auto types, metadata.Integers("tokenizer.ggml.token_type"));
  EXPECT_EQ(types.size(), 384u);
  EXPECT_EQ(types[0], 3);
  EXPECT_EQ(metadata.Texts("tokenizer.ggml.merges").value().size(), 127u);
}

TEST_P(GgufFixtures, ACopyHasTheSameBytes) {
  ASSERT_OK_AND_ASSIGN(const GgufFile file, GgufFile::Open(path_, "model.gguf"));
  std::vector<GgufSetting> settings;
  for (const GgufEntry& entry : file.metadata().entries()) settings.push_back(GgufCopy(entry));
  std::vector<GgufDeclaration> tensors;
  for (const GgufTensor& tensor : file.tensors()) tensors.push_back({tensor.name, tensor.shape, tensor.type});
  ASSERT_OK_AND_ASSIGN(const GgufPlan plan, PlanGguf("copy.gguf", settings, tensors));
  EXPECT_EQ(plan.file_bytes, static_cast<int64_t>(file.bytes().size()));
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(GgufWriter writer, GgufWriter::Create(dir / "copy.gguf", plan));
  for (const GgufTensor& tensor : file.tensors()) BITWRIGHT_ASSERT_OK(writer.Append(tensor.bytes));
  BITWRIGHT_ASSERT_OK(writer.Close());
  EXPECT_TRUE(ReadFile(dir / "copy.gguf").value() == ReadFile(path_).value());
}

}  // namespace
}  // namespace bitwright::worker
