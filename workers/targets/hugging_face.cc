#include "workers/targets/hugging_face.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/families/dtype_name.h"
#include "workers/targets/format_messages.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::ordered_json;

constexpr char kConfigFile[] = "config.json";
// Digits of offsets and shapes that differ between plans.
constexpr int64_t kSlackBytesPerTensor = 6;
constexpr int64_t kMostTensors = 4;  // of a linear
// `"":{"dtype":"","shape":[],"data_offsets":[,]},` and two offsets of six digits.
constexpr int64_t kEntryBytes = 58;

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

TensorDeclaration Declared(const v1::ModelInfo_KeptTensor& tensor) {
  return {
      tensor.name(), ParseDType(tensor.dtype()).value_or(DType::kF32), {tensor.shape().begin(), tensor.shape().end()}};
}

// A tensor of the file: one that stays, or one of a linear of a unit.
struct Entry {
  TensorDeclaration declared;
  std::string linear;  // empty: it stays
  std::optional<Format> format;
  StoredTensor stored;
};

absl::Status AppendKept(const TensorDeclaration& tensor, const Checkpoint& checkpoint, SafetensorsWriter& writer) {
  const auto kept = checkpoint.tensors().find(tensor.name);
  if (kept == checkpoint.tensors().end()) return WeightsLackError(tensor.name);
  if (!checkpoint.Holds(tensor.name)) return BytesNotGivenError(kept->second.file, "tensor '" + tensor.name + "'");
  const std::span<const std::byte> bytes = kept->second.view.bytes;
  if (std::ssize(bytes) != tensor.bytes()) return WeightsLackError(tensor.name);
  return writer.Append(bytes, [&](std::span<const std::byte> part) {
    checkpoint.Release(tensor.name, static_cast<size_t>(part.data() - bytes.data()), part.size());
  });
}

std::vector<TensorDeclaration> Declarations(const std::vector<Entry>& entries) {
  std::vector<TensorDeclaration> tensors;
  tensors.reserve(entries.size());
  for (const Entry& entry : entries) tensors.push_back(entry.declared);
  return tensors;
}

template <typename TensorsOf>
std::vector<Entry> EntriesOf(const v1::ModelInfo& info, const v1::Plan& plan, const TensorsOf& tensors_of) {
  std::vector<Entry> entries;
  for (const auto& kept : info.kept()) {
    entries.push_back({Declared(kept), "", std::nullopt, {}});
  }
  const DType type = ParseDType(info.dtype()).value_or(DType::kF32);
  for (int u = 0; u < plan.units_size(); ++u) {
    const Format format = PlannedFormat(plan.units(u));
    for (const auto& linear : info.units(u).linears()) {
      for (const StoredTensor& stored : tensors_of(format, linear.out_features(), linear.in_features(), type)) {
        entries.push_back(
            {{linear.name() + std::string(stored.suffix), stored.dtype, stored.shape}, linear.name(), format, stored});
      }
    }
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    const int64_t size_a = ByteSize(a.declared.dtype), size_b = ByteSize(b.declared.dtype);
    return size_a != size_b ? size_a > size_b : a.declared.name < b.declared.name;
  });
  return entries;
}

}  // namespace

absl::Status AppendPacked(const std::string& tensor, int64_t bytes, const PackedUnits& packed,
                          SafetensorsWriter& writer) {
  const auto found = packed.Find(tensor);
  if (!found || std::ssize(found->view.bytes) != bytes) return WeightsLackError(tensor);
  return writer.Append(found->view.bytes, [&](std::span<const std::byte> part) { found->file->Release(part); });
}

std::string_view HuggingFaceTarget::weights_file() const { return "model.safetensors"; }

absl::Status HuggingFaceTarget::Check(const TargetModel& model) const {
  for (const v1::UnitInfo& unit : model.info.units()) {
    if (unit.transposed()) {
      return CannotStoreError(name(), "weights of " + model.info.architecture() + ", stored as [in, out],",
                              "it keeps the checkpoint's names and layout");
    }
  }
  return absl::OkStatus();
}

int64_t HuggingFaceTarget::KeptBytes(const v1::ModelInfo_KeptTensor& tensor) const { return Declared(tensor).bytes(); }

absl::StatusOr<std::map<std::string, std::string>> HuggingFaceTarget::OwnFiles(const TargetModel& model,
                                                                               const v1::Plan& plan) const {
  const std::string* text = model.Text(kConfigFile);
  ordered_json config = ordered_json::parse(text == nullptr ? "" : *text, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) return ConfigNotAnObjectError();
  MatchConfig(model.info, config);
  if (const std::string quantization = QuantizationConfig(model.info, plan); !quantization.empty()) {
    config["quantization_config"] = ordered_json::parse(quantization);
  }
  return std::map<std::string, std::string>{{kConfigFile, config.dump(2) + "\n"}};
}

absl::StatusOr<SizeParts> HuggingFaceTarget::WeightsSize(const TargetModel& model, const v1::Plan& plan) const {
  const auto tensors_of = [this](const auto&... of) { return Tensors(of...); };
  const std::vector<TensorDeclaration> tensors = Declarations(EntriesOf(model.info, plan, tensors_of));
  const TensorParts parts(model.info, plan);
  SizeParts size;
  size.Add(v1::SizePart::FRAME, static_cast<int64_t>(SafetensorsHeader(tensors, Metadata()).size()));
  for (const TensorDeclaration& tensor : tensors) parts.Add(tensor.name, tensor.bytes(), size);
  return size;
}

int64_t HuggingFaceTarget::OverheadOf(const Format& format, const LinearShape& linear, int64_t name_bytes,
                                      DType type) const {
  int64_t bytes = -LinearBytes(format, linear.out, linear.in, type);
  for (const StoredTensor& tensor : Tensors(format, linear.out, linear.in, type)) {
    bytes += tensor.bytes() + kEntryBytes + name_bytes + std::ssize(tensor.suffix) +
             std::ssize(DTypeName(tensor.dtype)) + kSlackBytesPerTensor;
    for (const int64_t d : tensor.shape) bytes += std::ssize(std::to_string(d)) + 1;
  }
  return bytes;
}

int64_t HuggingFaceTarget::SlackBytes(const v1::ModelInfo& info, const v1::Plan& plan) const {
  const DType type = ParseDType(info.dtype()).value_or(DType::kF32);
  // Blocks repeat their shapes, and a model of experts has tens of thousands of linears.
  std::map<std::tuple<int64_t, int64_t, int64_t>, int64_t> most_of;
  const auto most = [&](const LinearShape& linear, int64_t name_bytes) {
    const auto [found, added] = most_of.try_emplace({linear.out, linear.in, name_bytes}, 0);
    if (!added) return found->second;
    for (const Format& format : formats()) {
      if (!Stores(format, linear.out, linear.in)) continue;
      found->second = std::max(found->second, OverheadOf(format, linear, name_bytes, type));
    }
    return found->second;
  };
  int64_t bytes = kSlackBytesPerTensor * info.kept_size();
  for (int u = 0; u < plan.units_size(); ++u) {
    const Format format = PlannedFormat(plan.units(u));
    for (const auto& linear : info.units(u).linears()) {
      const LinearShape shape{linear.out_features(), linear.in_features()};
      const int64_t name_bytes = std::ssize(linear.name());
      bytes +=
          most(shape, name_bytes) - OverheadOf(format, shape, name_bytes, type) + kMostTensors * kSlackBytesPerTensor;
    }
  }
  return bytes;
}

absl::Status HuggingFaceTarget::WriteWeights(const std::string& path, const TargetModel& model, const v1::Plan& plan,
                                             const WeightSources& from,
                                             const std::function<void(double)>& progress) const {
  const auto tensors_of = [this](const auto&... of) { return Tensors(of...); };
  const std::vector<Entry> entries = EntriesOf(model.info, plan, tensors_of);
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, Declarations(entries), Metadata()));
  size_t done = 0;
  for (const Entry& entry : entries) {
    ABSL_RETURN_IF_ERROR(entry.linear.empty() ? AppendKept(entry.declared, from.checkpoint, writer)
                                              : Append(entry.linear, *entry.format, entry.stored, from.packed, writer));
    progress(static_cast<double>(++done) / static_cast<double>(entries.size()));
  }
  return writer.Close();
}

}  // namespace bitwright::worker
