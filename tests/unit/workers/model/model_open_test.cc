#include <gtest/gtest.h>

#include <limits>
#include <span>

#include "tests/support/fixtures.h"
#include "tests/support/small_model.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/model/leftovers.h"
#include "workers/model/weights.h"

namespace bitwright::worker {
namespace {

constexpr char kHead[] = "lm_head.weight";
constexpr char kDown[] = "model.layers.1.mlp.down_proj.weight";

absl::StatusOr<Model> Open(const SmallModel& model) {
  const TempDir dir;
  return Model::Open(model.Write(dir.path()));
}

TEST(ModelOpen, AWholeModel) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    EXPECT_THAT(Open(SmallModel::Make(dtype)), IsOk());
  }
}

TEST(ModelOpen, EveryRequiredTensorMissing) {
  const SmallModel whole = SmallModel::Make();
  for (const auto& [name, tensor] : whole.tensors) {
    SmallModel model = whole;
    model.tensors.erase(name);
    const auto opened = Open(model);
    EXPECT_THAT(opened, HasReason("TENSOR_MISSING")) << name;
    EXPECT_EQ(GetErrorDetail(opened.status())->metadata.at("tensor"), name);
  }
}

TEST(ModelOpen, AnUntiedModelNeedsAHead) {
  SmallModel model = SmallModel::Make();
  model.config.replace(model.config.find("true"), 4, "false");
  EXPECT_THAT(Open(model), HasReason("TENSOR_MISSING"));
  model.tensors["lm_head.weight"] = model.tensors.at("model.embed_tokens.weight");
  EXPECT_THAT(Open(model), IsOk());
}

constexpr char kEmbed[] = "model.embed_tokens.weight";

// config.json of SmallModel ties head and embedding; what the checkpoint holds decides.
TEST(ModelOpen, ATiedHeadThatIsTheSameIsTied) {
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    SmallModel model = SmallModel::Make(DType::kBF16);
    SmallModel::Tensor head = model.tensors.at(kEmbed);
    if (dtype == DType::kF32) {
      std::vector<float> values(head.bytes.size() / 2);
      ToFloat({head.dtype, head.shape, std::as_bytes(std::span(head.bytes))}, values);
      head = {DType::kF32, head.shape, Encode(values, DType::kF32)};
    }
    model.tensors[kHead] = head;
    const TempDir dir;
    ASSERT_OK_AND_ASSIGN(const Model opened, Model::Open(model.Write(dir.path())));
    EXPECT_TRUE(opened.config().tied_embeddings);
    EXPECT_FALSE(opened.used().contains(kHead));
    ASSERT_OK_AND_ASSIGN(const auto leftovers, LeftoverTensors(opened));
    EXPECT_EQ(leftovers, std::vector<std::string>{kHead});
  }
}

TEST(ModelOpen, ATiedHeadThatDiffersIsUsed) {
  SmallModel model = SmallModel::Make();
  model.tensors[kHead] = model.tensors.at(kEmbed);
  model.tensors[kHead].bytes.back() ^= 1;
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const Model opened, Model::Open(model.Write(dir.path())));
  EXPECT_FALSE(opened.config().tied_embeddings);
  EXPECT_TRUE(opened.tied_by_config());
  ThreadPool pool(1);
  const auto device = MakeCpuDevice(pool);
  float last[64], expected[64];
  const DeviceMatrix row(*device, DType::kF32, 1, 64);
  opened.HeadRows(383, *device, row.view());
  device->Read(row.view(), last);
  const auto& bytes = model.tensors.at(kHead).bytes;
  ToFloat({DType::kBF16, {64}, std::as_bytes(std::span(bytes)).last(128)}, expected);
  EXPECT_TRUE(std::equal(last, last + 64, expected));
}

TEST(ModelOpen, ATiedHeadAloneIsTheEmbeddingToo) {
  SmallModel model = SmallModel::Make();
  model.tensors[kHead] = model.tensors.at(kEmbed);
  model.tensors.erase(kEmbed);
  const TempDir dir, whole_dir;
  ASSERT_OK_AND_ASSIGN(const Model opened, Model::Open(model.Write(dir.path())));
  ASSERT_OK_AND_ASSIGN(const Model whole, Model::Open(SmallModel::Make().Write(whole_dir.path())));
  EXPECT_TRUE(opened.config().tied_embeddings);
  EXPECT_EQ(opened.embedding(), kHead);
  float a[64], b[64];
  const int32_t id = 7;
  ThreadPool pool(1);
  const auto device = MakeCpuDevice(pool);
  const DeviceMatrix row(*device, DType::kF32, 1, 64);
  opened.Embed({&id, 1}, 1, *device, row.view());
  device->Read(row.view(), a);
  whole.Embed({&id, 1}, 1, *device, row.view());
  device->Read(row.view(), b);
  EXPECT_TRUE(std::equal(a, a + 64, b));
}

TEST(Leftovers, BuffersAndHeadsOfOtherTasksAreLeftAside) {
  SmallModel model = SmallModel::Make();
  const std::vector<std::string> names = {"model.layers.0.self_attn.rotary_emb.inv_freq", "score.weight",
                                          "v_head.bias"};
  for (const std::string& name : names) model.tensors[name] = {DType::kF32, {1}, Encode({0}, DType::kF32)};
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const Model opened, Model::Open(model.Write(dir.path())));
  ASSERT_OK_AND_ASSIGN(const auto leftovers, LeftoverTensors(opened));
  EXPECT_EQ(leftovers, names);
}

TEST(Leftovers, PartsOfTheDecoderContradictTheConfig) {
  const std::pair<const char*, const char*> cases[] = {
      {"model.layers.0.self_attn.q_proj.bias", "attention_bias"},
      {"model.layers.1.mlp.down_proj.bias", "mlp_bias"},
      {"model.layers.2.mlp.down_proj.weight", "num_hidden_layers"},
      {"model.layers.1.self_attn.q_norm.weight", "architectures"},
      {"lm_head.bias", "architectures"},
  };
  for (const auto& [name, field] : cases) {
    SmallModel model = SmallModel::Make();
    model.tensors[name] = {DType::kF32, {1}, Encode({0}, DType::kF32)};
    const TempDir dir;
    ASSERT_OK_AND_ASSIGN(const Model opened, Model::Open(model.Write(dir.path())));
    const auto leftovers = LeftoverTensors(opened);
    EXPECT_THAT(leftovers, HasReason("CONFIG_CONTRADICTS_CHECKPOINT")) << name;
    EXPECT_EQ(GetErrorDetail(leftovers.status())->metadata.at("field"), field);
    EXPECT_EQ(GetErrorDetail(leftovers.status())->metadata.at("tensor"), name);
  }
}

TEST(ModelOpen, WrongShapes) {
  const std::vector<std::vector<int64_t>> shapes = {{96, 64}, {64 * 96}, {64, 96, 1}, {1, 64, 96}, {64, 48, 2}};
  for (const auto& shape : shapes) {
    SmallModel model = SmallModel::Make();
    model.tensors.at(kDown).shape = shape;
    const auto opened = Open(model);
    EXPECT_THAT(opened, HasReason("TENSOR_SHAPE_WRONG")) << ShapeText(shape);
    EXPECT_EQ(GetErrorDetail(opened.status())->metadata.at("tensor"), kDown);
    EXPECT_EQ(GetErrorDetail(opened.status())->metadata.at("expected"), "[64, 96]");
  }
  SmallModel model = SmallModel::Make();
  model.tensors.at(kDown) = {DType::kBF16, {0, 96}, ""};
  EXPECT_THAT(Open(model), HasReason("TENSOR_SHAPE_WRONG"));
}

TEST(ModelOpen, WrongTypes) {
  for (const DType dtype : {DType::kI16, DType::kU16, DType::kI8, DType::kF8E4M3, DType::kF64, DType::kI64}) {
    SmallModel model = SmallModel::Make();
    model.tensors.at(kDown) = {dtype, {64, 96}, std::string(static_cast<size_t>(64 * 96 * ByteSize(dtype)), '\0')};
    EXPECT_THAT(Open(model), HasReason("TENSOR_DTYPE_WRONG")) << DTypeName(dtype);
  }
}

TEST(ModelOpen, ConfigThatTheFileDoesNotHold) {
  SmallModel model = SmallModel::Make();
  model.config.replace(model.config.find("\"num_hidden_layers\": 2"), 22, "\"num_hidden_layers\": 3");
  EXPECT_THAT(Open(model), HasReason("TENSOR_MISSING"));
  // Sizes as large as a config may name: products are compared, not allocated.
  model = SmallModel::Make();
  model.config.replace(model.config.find("\"hidden_size\": 64"), 17, "\"hidden_size\": 16777216");
  EXPECT_THAT(Open(model), HasReason("TENSOR_SHAPE_WRONG"));
}

TEST(ModelOpen, NoConfig) {
  const TempDir dir;
  ModelFiles files = SmallModel::Make().Write(dir.path());
  files.erase("config.json");
  EXPECT_THAT(Model::Open(files), HasReason("MODEL_FILE_MISSING"));
}

}  // namespace
}  // namespace bitwright::worker
