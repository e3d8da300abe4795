#include "workers/targets/gguf_architecture.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"
#include "workers/checkpoint/gguf.h"
#include "workers/checkpoint/gguf_writer.h"
#include "workers/targets/gguf_vocabulary.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

// Rows of a fixture's tensor as the file has them: F32, or matrices as BF16.
std::vector<std::byte> Stored(const FixtureTensor& tensor, const GgufSource& source, bool bf16) {
  const std::vector<float> values = tensor.As<float>();
  const int64_t rows = source.shape[0], columns = static_cast<int64_t>(values.size()) / rows;
  std::vector<std::byte> bytes;
  for (int64_t row = 0; row < rows; ++row) {
    const float* from = values.data() + SourceRow(row, source.rotary_head_dim) * columns;
    for (int64_t j = 0; j < columns; ++j) {
      std::byte stored[4];
      const uint16_t half = FloatToBf16(from[j]);
      std::memcpy(stored, bf16 ? static_cast<const void*>(&half) : from + j, bf16 ? 2 : 4);
      bytes.insert(bytes.end(), stored, stored + (bf16 ? 2 : 4));
    }
  }
  return bytes;
}

// The gguf package's own conversion of the same checkpoint, byte for byte.
TEST(GgufArchitectureTest, WritesTheFilesThatThePackageWrites) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  const std::string model = *shared + "/fixtures/models/llama-gqa/";
  const auto config = ParseModelConfig(*ReadFile(model + "config.json"));
  BITWRIGHT_ASSERT_OK(config);
  const auto described = DescribeGguf(*config);
  BITWRIGHT_ASSERT_OK(described);
  const auto vocabulary =
      GgufVocabulary(*ReadFile(model + "tokenizer.json"), *ReadFile(model + "tokenizer_config.json"), config->vocab);
  BITWRIGHT_ASSERT_OK(vocabulary);
  const FixtureTensors tensors = ReadFixture(model + "model.safetensors");
  for (const bool bf16 : {false, true}) {
    std::vector<GgufSetting> settings = {GgufText("general.architecture", described->name),
                                         GgufText("general.name", "llama-gqa"), GgufText("general.type", "model")};
    settings.insert(settings.end(), described->settings.begin(), described->settings.end());
    settings.push_back(GgufNumber("general.file_type", uint32_t{bf16 ? 32u : 0u}));
    settings.push_back(GgufNumber("general.quantization_version", uint32_t{2}));
    settings.insert(settings.end(), vocabulary->begin(), vocabulary->end());
    std::vector<GgufDeclaration> declarations;
    for (const GgufSource& source : described->tensors) {
      const uint32_t id = bf16 && source.shape.size() > 1 ? 30 : 0;
      declarations.push_back({source.name, source.shape, *FindGgmlType(id)});
    }
    const auto plan = PlanGguf("model.gguf", settings, declarations);
    BITWRIGHT_ASSERT_OK(plan);
    const std::string path = testing::TempDir() + "/written.gguf";
    auto writer = GgufWriter::Create(path, *plan);
    BITWRIGHT_ASSERT_OK(writer);
    for (size_t i = 0; i < declarations.size(); ++i) {
      const GgufSource& source = described->tensors[i];
      BITWRIGHT_ASSERT_OK(writer->Append(Stored(Find(tensors, source.tensor), source, declarations[i].type.id == 30)));
    }
    BITWRIGHT_ASSERT_OK(writer->Close());
    const std::string expected =
        *shared + "/fixtures/packing/gguf-models/llama-gqa-" + (bf16 ? "bf16" : "f32") + ".gguf";
    EXPECT_TRUE(*ReadFile(path) == *ReadFile(expected)) << expected;
  }
}

// Every tensor that the model has is named, each name once.
TEST(GgufArchitectureTest, NamesEveryTensorOfTheFamiliesItKnows) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const std::string model : {"llama-bias", "llama-tied", "llama-linear-rope", "qwen2", "qwen3"}) {
    SCOPED_TRACE(model);
    const auto config = ParseModelConfig(*ReadFile(*shared + "/fixtures/models/" + model + "/config.json"));
    BITWRIGHT_ASSERT_OK(config);
    const auto described = DescribeGguf(*config);
    BITWRIGHT_ASSERT_OK(described);
    std::set<std::string> names;
    for (const GgufSource& source : described->tensors) names.insert(source.name);
    EXPECT_EQ(names.size(), RequiredTensors(*config).size());
    const bool rotated = model.starts_with("llama");
    for (const GgufSource& source : described->tensors) {
      const bool qk =
          source.name.find(".attn_q.") != std::string::npos || source.name.find(".attn_k.") != std::string::npos;
      EXPECT_EQ(source.rotary_head_dim != 0, rotated && qk) << source.name;
    }
  }
}

TEST(GgufArchitectureTest, RefusesByNameWhatItCannotWrite) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const auto& [model, named] :
       {std::pair{"gpt2", "gpt2"}, {"llama-yarn", "rotary"}, {"mistral-window", "window"}}) {
    const auto config =
        ParseModelConfig(*ReadFile(*shared + "/fixtures/models/" + std::string(model) + "/config.json"));
    BITWRIGHT_ASSERT_OK(config);
    const absl::Status refused = DescribeGguf(*config).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << model;
    EXPECT_NE(refused.message().find(named), std::string::npos) << refused;
  }
}

}  // namespace
}  // namespace bitwright::worker
