#include "workers/model/pieces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "tests/support/fixtures.h"
#include "tests/support/small_model.h"
#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

using Part = v1::ModelPiece;

constexpr char kDown[] = "model.layers.1.mlp.down_proj.weight";
constexpr char kEmbed[] = "model.embed_tokens.weight";
constexpr char kHead[] = "lm_head.weight";

TEST(PartsByTensor, EveryTensorThatIsReadBelongsToItsPart) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(SmallModel::Make().Write(dir.path())));
  const auto parts = PartsByTensor(model);
  std::set<std::string> named;
  for (const auto& [name, of] : parts) named.insert(name);
  EXPECT_EQ(named, model.used());
  EXPECT_EQ(parts.at(kDown), std::vector<ModelPart>({{Part::UNITS, 1}}));
  EXPECT_EQ(parts.at("model.layers.1.input_layernorm.weight"), std::vector<ModelPart>({{Part::KEPT, 1}}));
  EXPECT_EQ(parts.at("model.norm.weight"), std::vector<ModelPart>({{Part::COMMON}}));
  EXPECT_EQ(parts.at(kEmbed), std::vector<ModelPart>({{Part::EMBEDDING}, {Part::HEAD}})) << "tied";
}

// Who ties by comparing needs both, whatever the task.
TEST(PartsByTensor, EndsThatAreComparedAreCommon) {
  SmallModel small = SmallModel::Make();
  small.tensors[kHead] = small.tensors.at(kEmbed);
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(small.Write(dir.path())));
  const auto parts = PartsByTensor(model);
  EXPECT_EQ(parts.at(kHead).front(), ModelPart{Part::COMMON});
  EXPECT_EQ(parts.at(kEmbed).front(), ModelPart{Part::COMMON});
}

// The small model, written and opened, and its pieces.
class Pieces : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(Model model, Model::Open(files_));
    model_.emplace(std::move(model));
    ThreadPool pool(2);
    ASSERT_OK_AND_ASSIGN(pieces_, ReadPieces(*model_, pool));
  }

  const TempDir dir_;
  const ModelFiles files_ = SmallModel::Make().Write(dir_.path());
  std::optional<Model> model_;
  std::vector<WeightPiece> pieces_;
};

// Of the small model's only weight file.
ModelFile OnlyPieces(const ModelFile& whole, const std::vector<WeightPiece>& pieces) {
  ModelFile file = whole;
  file.size_bytes = MappedFile::Open(whole.path).value()->bytes().size();
  for (const WeightPiece& piece : pieces) {
    const auto offset = static_cast<size_t>(piece.offset);
    file.pieces.push_back({whole.path, offset, offset, static_cast<size_t>(piece.digest.size_bytes)});
  }
  return file;
}

TEST_F(Pieces, CanBeMappedAndHaveTheirDigests) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(files_.at("model.safetensors").path));
  int64_t last = 0;
  for (const WeightPiece& piece : pieces_) {
    EXPECT_EQ(piece.file, "model.safetensors");
    EXPECT_GE(piece.offset, last);
    EXPECT_EQ(piece.offset % kPieceAlignment, 0);
    const int64_t end = piece.offset + piece.digest.size_bytes;
    EXPECT_TRUE(end % kPieceAlignment == 0 || end == static_cast<int64_t>(bytes.size())) << end;
    EXPECT_EQ(piece.digest, DigestOf(std::string_view(bytes).substr(static_cast<size_t>(piece.offset),
                                                                    static_cast<size_t>(piece.digest.size_bytes))));
    last = piece.offset;
  }
}

// A piece less than a task needs is refused, by the tensor that it lacks.
TEST_F(Pieces, EachThatIsLackingIsRefused) {
  const PartsRead read = {.units_begin = 1, .units_end = 2, .kept_begin = 1, .kept_end = 2, .head = true};
  std::vector<WeightPiece> pieces;
  for (const WeightPiece& piece : pieces_) {
    const bool wanted =
        std::any_of(piece.parts.begin(), piece.parts.end(), [&](const ModelPart& part) { return read.Has(part); });
    if (wanted) pieces.push_back(piece);
  }
  EXPECT_LT(pieces.size(), pieces_.size());
  const auto check = [&](const std::vector<WeightPiece>& given) {
    ModelFiles some = files_;
    some.at("model.safetensors") = OnlyPieces(files_.at("model.safetensors"), given);
    const auto opened = Model::Open(some);
    return opened.ok() ? CheckParts(*opened, read) : opened.status();
  };
  EXPECT_THAT(check(pieces), IsOk());
  int refused = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    std::vector<WeightPiece> fewer = pieces;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    // A small one may lie within the pages of its neighbours.
    if (const absl::Status status = check(fewer); !status.ok()) {
      EXPECT_THAT(status, HasReason("TASK_SPEC_INVALID"));
      EXPECT_EQ(GetErrorDetail(status)->metadata.at("field"), "inputs.pieces");
      ++refused;
    }
  }
  EXPECT_GE(refused, 3);
}

TEST(ReadPieces, NamesTensorAndElement) {
  ThreadPool pool(2);
  const float inf = std::numeric_limits<float>::infinity();
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (const float value : {inf, -inf, std::nanf("")}) {
      for (const size_t element : {size_t{0}, size_t{1}, size_t{4097}, size_t{64 * 96 - 1}}) {
        SmallModel model = SmallModel::Make(dtype);
        const size_t size = static_cast<size_t>(ByteSize(dtype));
        model.tensors.at(kDown).bytes.replace(element * size, size, Encode({value}, dtype));
        const TempDir dir;
        ASSERT_OK_AND_ASSIGN(const Model opened, Model::Open(model.Write(dir.path())));
        const absl::Status status = ReadPieces(opened, pool).status();
        EXPECT_THAT(status, HasReason("TENSOR_NOT_FINITE")) << DTypeName(dtype) << " " << value;
        const auto detail = GetErrorDetail(status);
        EXPECT_EQ(detail->metadata.at("tensor"), kDown);
        EXPECT_EQ(detail->metadata.at("element"), std::to_string(element));
      }
    }
    const TempDir dir;
    ASSERT_OK_AND_ASSIGN(const Model opened, Model::Open(SmallModel::Make(dtype).Write(dir.path())));
    EXPECT_THAT(ReadPieces(opened, pool), IsOk());
  }
}

TEST(ReadPieces, TheLargestFiniteValuesAndSubnormalsPass) {
  ThreadPool pool(1);
  for (const auto& [dtype, largest] :
       {std::pair{DType::kF32, 3.4028235e38f}, {DType::kF16, 65504.0f}, {DType::kBF16, 3.3895314e38f}}) {
    SmallModel model = SmallModel::Make(dtype);
    auto& bytes = model.tensors.at(kDown).bytes;
    const std::string extremes = Encode({largest, -largest, 1e-45f, -6e-8f, -0.0f}, dtype);
    bytes.replace(0, extremes.size(), extremes);
    const TempDir dir;
    ASSERT_OK_AND_ASSIGN(const Model opened, Model::Open(model.Write(dir.path())));
    EXPECT_THAT(ReadPieces(opened, pool), IsOk()) << DTypeName(dtype);
  }
}

TEST(ReadPieces, TensorsOfNoUseToTheModelAreNot) {
  SmallModel model = SmallModel::Make();
  model.tensors["extra"] = {DType::kF32, {1}, Encode({std::nanf("")}, DType::kF32)};
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const Model opened, Model::Open(model.Write(dir.path())));
  ThreadPool pool(1);
  EXPECT_THAT(ReadPieces(opened, pool), IsOk());
}

}  // namespace
}  // namespace bitwright::worker
