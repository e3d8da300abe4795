#include "workers/targets/gguf.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/gguf.h"
#include "workers/checkpoint/gguf_writer.h"
#include "workers/families/config.h"
#include "workers/targets/format_messages.h"
#include "workers/targets/gguf_architecture.h"
#include "workers/targets/gguf_pieces.h"
#include "workers/targets/gguf_tensors.h"
#include "workers/targets/gguf_vocabulary.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kName = "gguf";
constexpr std::string_view kWeights = "model.gguf";
constexpr std::string_view kWeightEnd = ".weight";
constexpr int64_t kMostPadding = GgufFile::kDefaultAlignment - 1;

// "general.file_type", llama_ftype of llama.cpp's llama.h: for people, what most weights have.
uint32_t FileTypeOf(BlockType type) {
  switch (type) {
    case BlockType::kQ4_0:
      return 2;
    case BlockType::kQ4_1:
      return 3;
    case BlockType::kQ8_0:
      return 7;
    case BlockType::kQ5_0:
      return 8;
    case BlockType::kQ5_1:
      return 9;
    case BlockType::kQ2_K:
      return 10;
    case BlockType::kQ3_K:
      return 12;
    case BlockType::kQ4_K:
      return 15;
    case BlockType::kQ5_K:
      return 17;
    case BlockType::kQ6_K:
      return 18;
    case BlockType::kIQ2_XXS:
      return 19;
    case BlockType::kIQ2_XS:
      return 20;
    case BlockType::kIQ3_XXS:
      return 23;
    case BlockType::kIQ4_NL:
      return 25;
    case BlockType::kIQ3_S:
      return 26;
    case BlockType::kIQ2_S:
      return 28;
    case BlockType::kIQ4_XS:
      return 30;
    case BlockType::kMXFP4:
      return 38;
  }
  return 0;
}

// Of a tensor that stays: ggml computes with vectors in f32. `wide`: whatever its dtype is.
uint32_t KeptType(std::string_view dtype, size_t dimensions, bool wide) {
  if (dimensions < 2 || wide) return kGgmlF32;
  const DType type = ParseDType(dtype).value_or(DType::kF32);
  return type == DType::kBF16 ? kGgmlBF16 : type == DType::kF16 ? kGgmlF16 : kGgmlF32;
}

// The template of a chat, where the model has one: in a file of its own, or in tokenizer_config.json.
std::optional<std::string> ChatTemplateOf(const TargetModel& model) {
  if (const std::string* file = model.Text("chat_template.jinja")) return *file;
  const std::string* text = model.Text("tokenizer_config.json");
  if (text == nullptr) return std::nullopt;
  const auto config = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object() || !config.contains("chat_template")) return std::nullopt;
  const auto& own = config["chat_template"];
  return own.is_string() ? std::optional(own.get<std::string>()) : std::nullopt;
}

// Empty: the model has no such file.
std::string_view TextOf(const TargetModel& model, std::string_view path) {
  const std::string* text = model.Text(path);
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

absl::StatusOr<std::vector<GgufSetting>> VocabularyOf(const TargetModel& model) {
  const std::string* tokenizer = model.Text("tokenizer.json");
  const std::string* pieces = model.Text("tokenizer.model");
  if (tokenizer == nullptr && pieces == nullptr) return std::vector{GgufText("tokenizer.ggml.model", "none")};
  const std::string* config = model.Text("tokenizer_config.json");
  const int64_t vocab_size = model.info.vocab_size();
  ABSL_ASSIGN_OR_RETURN(
      auto vocabulary,
      tokenizer != nullptr
          ? GgufVocabulary(*tokenizer, config == nullptr ? std::nullopt : std::optional(*config), vocab_size)
          : GgufPieces({*pieces, TextOf(model, "tokenizer_config.json"), TextOf(model, "added_tokens.json"),
                        TextOf(model, "config.json")},
                       vocab_size));
  if (const auto chat = ChatTemplateOf(model)) vocabulary.push_back(GgufText("tokenizer.chat_template", *chat));
  return vocabulary;
}

absl::StatusOr<GgufArchitecture> ArchitectureOf(const TargetModel& model) {
  const std::string* text = model.Text("config.json");
  ABSL_ASSIGN_OR_RETURN(ModelConfig config, ParseModelConfig(text == nullptr ? "" : *text));
  config.tied_embeddings = model.info.tied_embeddings();
  const auto holds = [&](const std::string& tensor) {
    return std::ranges::any_of(model.info.kept(), [&](const auto& kept) { return kept.name() == tensor; });
  };
  // Of a tied pair either may be left out of a checkpoint.
  if (config.tied_embeddings && !holds(config.embedding.tokens)) config.embedding.tokens = config.head.weight;
  return DescribeGguf(config);
}

// Where the values of a tensor of the file come from.
struct Origin {
  GgufSource source;
  GgmlType type;
  std::string linear;  // of a unit: the name of its blocks in the quantized weights; empty: the checkpoint's tensor
};

// All that the file will be.
struct Layout {
  std::vector<Origin> origins;
  GgufPlan plan;
  int64_t vocabulary_bytes = 0;  // of its header
};

absl::StatusOr<Layout> LayOut(const TargetModel& model, const v1::Plan& plan) {
  const v1::ModelInfo& info = model.info;
  ABSL_ASSIGN_OR_RETURN(const GgufArchitecture architecture, ArchitectureOf(model));
  ABSL_ASSIGN_OR_RETURN(const std::vector<GgufSetting> vocabulary, VocabularyOf(model));
  std::map<std::string, uint32_t> blocks;  // linear → type
  for (int u = 0; u < plan.units_size(); ++u) {
    const UnitFormats formats = PlannedFormats(plan.units(u));
    for (int l = 0; l < info.units(u).linears_size(); ++l) {
      const auto* type = std::get_if<BlockType>(&formats.Of(static_cast<size_t>(l)));
      blocks[info.units(u).linears(l).name()] =
          type == nullptr ? KeptType(info.dtype(), 2, false) : SpecOf(*type).ggml_id;
    }
  }
  std::map<std::string, std::string> kept;  // tensor → dtype
  for (const auto& tensor : info.kept()) kept[tensor.name()] = tensor.dtype();

  Layout layout;
  std::vector<GgufDeclaration> declarations;
  for (const GgufSource& source : architecture.tensors) {
    if (!source.values.empty()) {
      layout.origins.push_back({source, FindGgmlType(kGgmlF32).value(), ""});
      declarations.push_back({source.name, source.shape, layout.origins.back().type});
      continue;
    }
    const std::string stem = source.tensor.substr(0, source.tensor.size() - kWeightEnd.size());
    const auto unit = source.tensor.ends_with(kWeightEnd) ? blocks.find(stem) : blocks.end();
    const auto stays = kept.find(source.tensor);
    if (unit == blocks.end() && stays == kept.end()) {
      return GgufCannotStoreError("tensor '" + source.tensor + "'", "the model has it under another name");
    }
    const auto type =
        FindGgmlType(unit != blocks.end() ? unit->second : KeptType(stays->second, source.shape.size(), source.wide));
    layout.origins.push_back({source, type.value(), unit != blocks.end() ? stem : ""});
    declarations.push_back({source.name, source.shape, *type});
  }
  const auto most = MostUsed<BlockType>(info, plan);
  std::vector<GgufSetting> settings = {GgufText("general.architecture", architecture.name),
                                       GgufText("general.name", model.name), GgufText("general.type", "model")};
  settings.insert(settings.end(), architecture.settings.begin(), architecture.settings.end());
  settings.push_back(GgufNumber("general.file_type", most ? FileTypeOf(*most) : uint32_t{0}));
  settings.push_back(GgufNumber("general.quantization_version", uint32_t{2}));  // GGML_QNT_VERSION
  settings.insert(settings.end(), vocabulary.begin(), vocabulary.end());
  for (const GgufSetting& setting : vocabulary) layout.vocabulary_bytes += StoredBytes(setting);
  ABSL_ASSIGN_OR_RETURN(layout.plan, PlanGguf(kWeights, settings, declarations));
  return layout;
}

absl::Status AppendKept(const Origin& origin, const Checkpoint& checkpoint, GgufWriter& writer) {
  const std::string& name = origin.source.tensor;
  const auto found = checkpoint.tensors().find(name);
  if (found == checkpoint.tensors().end()) return WeightsLackError(name);
  if (!checkpoint.Holds(name)) return BytesNotGivenError(found->second.file, "tensor '" + name + "'");
  const TensorView& view = found->second.view;
  if (view.shape != origin.source.shape || !IsWeightType(view.dtype) ||
      KeptType(DTypeName(view.dtype), view.shape.size(), origin.source.wide) != origin.type.id) {
    return WeightsLackError(name);
  }
  if (IsStoredAsIs(origin.source, view.dtype)) {
    return writer.Append(view.bytes, [&](std::span<const std::byte> part) {
      checkpoint.Release(name, static_cast<size_t>(part.data() - view.bytes.data()), part.size());
    });
  }
  return writer.Append(GgufKeptData(origin.source, view, origin.type));
}

absl::Status AppendBlocks(const Origin& origin, const PackedUnits& packed, GgufWriter& writer) {
  ABSL_RETURN_IF_ERROR(AppendGgufBlocks(origin.linear, origin.source, origin.type, packed, writer));
  for (const std::string& tensor : origin.source.further) {
    const std::string linear = tensor.substr(0, tensor.size() - kWeightEnd.size());
    ABSL_RETURN_IF_ERROR(AppendGgufBlocks(linear, origin.source, origin.type, packed, writer));
  }
  return absl::OkStatus();
}

class GgufTarget final : public Target {
 public:
  std::string_view name() const override { return kName; }
  std::string_view weights_file() const override { return kWeights; }

  double rounding_passes() const override { return 12; }  // tests/bench/README.md, "Rounding on grids"
  double pricing_passes() const override { return 2; }
  bool rounding_moment() const override { return true; }

  std::span<const Format> formats() const override {
    static const auto& formats = *new std::vector<Format>([] {
      std::vector<Format> all;
      for (const BlockSpec& spec : BlockSpecs()) all.emplace_back(spec.type);
      all.emplace_back(PlainFormat{});
      std::ranges::stable_sort(all, {}, [](const Format& format) { return WidthOf(format); });
      return all;
    }());
    return formats;
  }

  absl::Status Check(const TargetModel& model) const override {
    ABSL_RETURN_IF_ERROR(ArchitectureOf(model).status());
    ABSL_RETURN_IF_ERROR(VocabularyOf(model).status());
    return absl::OkStatus();
  }

  bool stores_ends() const override { return true; }
  bool linears_differ() const override { return true; }

  int64_t KeptBytes(const v1::ModelInfo_KeptTensor& tensor) const override {
    const auto type = FindGgmlType(KeptType(tensor.dtype(), static_cast<size_t>(tensor.shape_size()), false));
    return StoredBytes(type.value(), {tensor.shape().begin(), tensor.shape().end()}).value_or(0);
  }

  bool Carries(const std::string& path) const override {
    return path.starts_with("LICEN") || path.starts_with("NOTICE") || path.starts_with("COPYING");
  }

  absl::StatusOr<std::map<std::string, std::string>> OwnFiles(const TargetModel&, const v1::Plan&) const override {
    return std::map<std::string, std::string>();
  }

  absl::StatusOr<SizeParts> WeightsSize(const TargetModel& model, const v1::Plan& plan) const override {
    ABSL_ASSIGN_OR_RETURN(const Layout layout, LayOut(model, plan));
    const TensorParts parts(model.info, plan);
    SizeParts size;
    size.Add(v1::SizePart::TOKENIZER, layout.vocabulary_bytes);
    for (size_t t = 0; t < layout.origins.size(); ++t) {
      parts.Add(layout.origins[t].source.tensor, layout.plan.tensor_bytes[t], size);
    }
    size.Add(v1::SizePart::FRAME, layout.plan.file_bytes - size.total());
    return size;
  }

  int64_t SlackBytes(const v1::ModelInfo& info, const v1::Plan&) const override {
    int64_t tensors = info.kept_size();
    for (const v1::UnitInfo& unit : info.units()) tensors += unit.linears_size();
    return kMostPadding * (tensors + 1);
  }

  absl::Status WriteWeights(const std::string& path, const TargetModel& model, const v1::Plan& plan,
                            const WeightSources& from, const std::function<void(double)>& progress) const override {
    ABSL_ASSIGN_OR_RETURN(const Layout layout, LayOut(model, plan));
    ABSL_ASSIGN_OR_RETURN(GgufWriter writer, GgufWriter::Create(path, layout.plan));
    size_t done = 0;
    for (const Origin& origin : layout.origins) {
      ABSL_RETURN_IF_ERROR(!origin.source.values.empty() ? writer.Append(std::as_bytes(std::span(origin.source.values)))
                           : origin.linear.empty()       ? AppendKept(origin, from.checkpoint, writer)
                                                         : AppendBlocks(origin, from.packed, writer));
      progress(static_cast<double>(++done) / static_cast<double>(layout.origins.size()));
    }
    return writer.Close();
  }

  CardParts Card() const override {
    return {"llama.cpp", "gguf",
            "Weights of all decoder linears, of the embedding and of the output head are blocks of GGUF, of a type for "
            "each unit (unquantized ones are as they were); norms are stored as f32."};
  }
};

}  // namespace

const Target& Gguf() {
  static const auto& target = *new GgufTarget;
  return target;
}

}  // namespace bitwright::worker
