#include "workers/targets/compressed_tensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/families/dtype_name.h"
#include "workers/targets/format_messages.h"
#include "workers/targets/quantization_config.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::ordered_json;

constexpr char kConfigFile[] = "config.json";
constexpr std::string_view kName = "compressed-tensors";
constexpr std::string_view kWeights = "model.safetensors";
// Digits of offsets and shapes that differ between plans.
constexpr int64_t kSlackBytesPerTensor = 6;

int64_t TensorBytes(const TensorDeclaration& tensor) {
  int64_t bytes = ByteSize(tensor.dtype);
  for (const int64_t d : tensor.shape) bytes *= d;
  return bytes;
}

const std::map<std::string, std::string>& Metadata() {
  static const auto& metadata = *new std::map<std::string, std::string>{{"format", "pt"}};
  return metadata;
}

// Makes config.json say what the artifact is: which class computes it, without code of its own, whether its head is the
// embedding (some readers skip a head that the flag calls tied), and its dtype in a spelling that readers know.
void MatchConfig(const v1::ModelInfo& info, ordered_json& config) {
  const auto lacks = [&](const char* key) {
    return !config.contains(key) || config[key].is_null() || config[key] == ordered_json::array();
  };
  if (lacks("architectures")) config["architectures"] = ordered_json::array({info.architecture()});
  if (lacks("model_type") && !info.family().empty()) config["model_type"] = info.family();
  config.erase("auto_map");
  const bool tied = config.contains("tie_word_embeddings") && config["tie_word_embeddings"] == true;
  if (tied != info.tied_embeddings()) config["tie_word_embeddings"] = info.tied_embeddings();
  for (const char* key : {"dtype", "torch_dtype"}) {
    if (!config.contains(key) || !config[key].is_string()) continue;
    const auto name = TorchDTypeName(config[key].get_ref<const std::string&>());
    if (name) config[key] = name->empty() ? TorchDTypeName(ParseDType(info.dtype()).value_or(DType::kF32)) : *name;
  }
}

std::vector<TensorDeclaration> TensorsOf(const v1::ModelInfo& info, const v1::Plan& plan) {
  std::vector<TensorDeclaration> tensors;
  for (const auto& kept : info.kept()) {
    tensors.push_back(
        {kept.name(), ParseDType(kept.dtype()).value_or(DType::kF32), {kept.shape().begin(), kept.shape().end()}});
  }
  const DType type = ParseDType(info.dtype()).value_or(DType::kF32);
  for (int u = 0; u < plan.units_size(); ++u) {
    const IntFormat format{plan.units(u).format().integer().bits(), plan.units(u).format().integer().group_size()};
    for (const auto& linear : info.units(u).linears()) {
      const int64_t out = linear.out_features(), in = linear.in_features();
      tensors.push_back({linear.name() + ".weight_packed", DType::kI32, {out, format.WordsPerRow(in)}});
      tensors.push_back({linear.name() + ".weight_scale", type, {out, format.Groups(in)}});
      tensors.push_back({linear.name() + ".weight_shape", DType::kI64, {2}});
    }
  }
  std::sort(tensors.begin(), tensors.end(), [](const TensorDeclaration& a, const TensorDeclaration& b) {
    const int64_t size_a = ByteSize(a.dtype), size_b = ByteSize(b.dtype);
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
  return tensors;
}

// The bytes of a tensor, and how they are given back once they have been read.
struct Source {
  std::span<const std::byte> bytes;
  std::function<void(std::span<const std::byte>)> release = [](std::span<const std::byte>) {};
};

absl::StatusOr<Source> Find(const WeightSources& from, const std::string& name) {
  if (const auto kept = from.checkpoint.tensors().find(name); kept != from.checkpoint.tensors().end()) {
    if (!from.checkpoint.Holds(name)) return BytesNotGivenError(kept->second.file, "tensor '" + name + "'");
    const std::span<const std::byte> bytes = kept->second.view.bytes;
    return Source{bytes, [&from, name, bytes](std::span<const std::byte> part) {
                    from.checkpoint.Release(name, static_cast<size_t>(part.data() - bytes.data()), part.size());
                  }};
  }
  for (const SafetensorsFile& file : from.packed.files()) {
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end()) continue;
    return Source{found->second.bytes, [&file](std::span<const std::byte> part) { file.Release(part); }};
  }
  return Source{};
}

class CompressedTensorsTarget final : public Target {
 public:
  std::string_view name() const override { return kName; }
  std::string_view weights_file() const override { return kWeights; }

  double rounding_passes() const override { return 12; }  // as of gguf.cc
  double pricing_passes() const override { return 1; }
  bool rounding_moment() const override { return true; }

  std::span<const Format> formats() const override {
    static const auto& formats = *new std::vector<Format>(AllIntFormats().begin(), AllIntFormats().end());
    return formats;
  }

  absl::Status Check(const TargetModel& model) const override {
    for (const v1::UnitInfo& unit : model.info.units()) {
      if (unit.transposed()) {
        return CannotStoreError(kName, "weights of " + model.info.architecture() + ", stored as [in, out],",
                                "it keeps the checkpoint's names and layout");
      }
    }
    return absl::OkStatus();
  }

  bool stores_ends() const override { return false; }

  int64_t KeptBytes(const v1::ModelInfo_KeptTensor& tensor) const override {
    return TensorBytes({tensor.name(),
                        ParseDType(tensor.dtype()).value_or(DType::kF32),
                        {tensor.shape().begin(), tensor.shape().end()}});
  }

  bool Carries(const std::string&) const override { return true; }

  absl::StatusOr<std::map<std::string, std::string>> OwnFiles(const TargetModel& model,
                                                              const v1::Plan& plan) const override {
    const std::string* text = model.Text(kConfigFile);
    ordered_json config = ordered_json::parse(text == nullptr ? "" : *text, nullptr, /*allow_exceptions=*/false);
    if (!config.is_object()) return ConfigNotAnObjectError();
    MatchConfig(model.info, config);
    config["quantization_config"] = QuantizationConfig(plan, model.info.units());
    return std::map<std::string, std::string>{{kConfigFile, config.dump(2) + "\n"}};
  }

  absl::StatusOr<int64_t> WeightsBytes(const TargetModel& model, const v1::Plan& plan) const override {
    const std::vector<TensorDeclaration> tensors = TensorsOf(model.info, plan);
    int64_t bytes = static_cast<int64_t>(SafetensorsHeader(tensors, Metadata()).size());
    for (const TensorDeclaration& tensor : tensors) bytes += TensorBytes(tensor);
    return bytes;
  }

  int64_t SlackBytes(const v1::ModelInfo& info) const override {
    int64_t tensors = info.kept_size();
    for (const v1::UnitInfo& unit : info.units()) tensors += 3 * unit.linears_size();
    return kSlackBytesPerTensor * tensors;
  }

  absl::Status WriteWeights(const std::string& path, const TargetModel& model, const v1::Plan& plan,
                            const WeightSources& from, const std::function<void(double)>& progress) const override {
    const std::vector<TensorDeclaration> tensors = TensorsOf(model.info, plan);
    ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, tensors, Metadata()));
    size_t done = 0;
    for (const TensorDeclaration& tensor : tensors) {
      ABSL_ASSIGN_OR_RETURN(const Source source, Find(from, tensor.name));
      if (static_cast<int64_t>(source.bytes.size()) != TensorBytes(tensor)) return WeightsLackError(tensor.name);
      ABSL_RETURN_IF_ERROR(writer.Append(source.bytes, source.release));
      progress(static_cast<double>(++done) / static_cast<double>(tensors.size()));
    }
    return writer.Close();
  }

  CardParts Card() const override {
    return {"transformers", std::string(kName),
            "Weights of all decoder linears are symmetric integers in the compressed-tensors `pack-quantized` format; "
            "embeddings, norms and the output head are unchanged."};
  }
};

}  // namespace

const Target& CompressedTensors() {
  static const auto& target = *new CompressedTensorsTarget;
  return target;
}

}  // namespace bitwright::worker
