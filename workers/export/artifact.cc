#include "workers/export/artifact.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "workers/export/card.h"
#include "workers/export/export_errors.h"
#include "workers/export/quantization_config.h"
#include "workers/formats/int_format.h"

namespace bitwright::worker {
namespace {

using nlohmann::ordered_json;

constexpr char kConfigFile[] = "config.json";
constexpr char kCardFile[] = "README.md";
constexpr char kPlanFile[] = "plan.json";
// Digits of offsets and shapes, and a sentence of the card, that the bound does not foresee to the byte.
constexpr int64_t kOverheadSlackBytes = 640;
constexpr int64_t kSlackBytesPerTensor = 6;
// A format more in use: its group in config.json (about 370 bytes without the names) and its name in the card.
constexpr int64_t kBytesPerFormat = 512;

int64_t TensorBytes(const TensorDeclaration& tensor) {
  int64_t bytes = ByteSize(tensor.dtype);
  for (const int64_t d : tensor.shape) bytes *= d;
  return bytes;
}

// A number whose shortest JSON form is as long as that of any double.
constexpr double kLongNumber = -1.2345678901234567e-300;

v1::Candidate LongestCandidate() {
  v1::Candidate longest;
  auto& kl = *longest.mutable_kl_divergence();
  for (const auto set : {&v1::KlDivergence::set_mean, &v1::KlDivergence::set_standard_error,
                         &v1::KlDivergence::set_median, &v1::KlDivergence::set_p99, &v1::KlDivergence::set_max}) {
    (kl.*set)(kLongNumber);
  }
  longest.set_average_bits(kLongNumber);
  longest.set_perplexity(kLongNumber);
  longest.set_perplexity_standard_error(kLongNumber);
  longest.set_top1_agreement(kLongNumber);
  return longest;
}

// Every unit in the format with the longest name and the most tensors' digits, as many formats in use as that gives.
v1::Plan LongestPlan(const v1::ModelInfo& info) {
  v1::Plan plan;
  plan.set_name("uniform-int8-channel");
  plan.set_weight_bytes(info.tensor_bytes());
  plan.set_predicted_loss(kLongNumber);
  for (int u = 0; u < info.units_size(); ++u) {
    const v1::UnitInfo& unit = info.units(u);
    v1::UnitPlan& to = *plan.add_units();
    to.set_unit(unit.name());
    to.set_predicted_loss(kLongNumber);
    to.set_bytes(info.tensor_bytes());
    *to.mutable_format() = unit.options(u % unit.options_size()).format();
  }
  return plan;
}

// Formats that some plan of the model has in use beyond those that LongestPlan uses.
int64_t FormatsBeyond(const v1::Plan& longest, const v1::ModelInfo& info) {
  std::set<std::pair<int, int>> possible, used;
  for (const v1::UnitInfo& unit : info.units()) {
    for (const auto& option : unit.options()) possible.emplace(option.format().bits(), option.format().group_size());
  }
  for (const v1::UnitPlan& unit : longest.units()) used.emplace(unit.format().bits(), unit.format().group_size());
  const int64_t most = std::min<int64_t>(info.units_size(), static_cast<int64_t>(possible.size()));
  return std::max<int64_t>(most - static_cast<int64_t>(used.size()), 0);
}

// Makes config.json say what the artifact is: which class computes it, without code of its own, and whether its head is
// the embedding. Some readers skip a head that the flag calls tied.
void MatchConfig(const v1::ModelInfo& info, ordered_json& config) {
  const auto lacks = [&](const char* key) {
    return !config.contains(key) || config[key].is_null() || config[key] == ordered_json::array();
  };
  if (lacks("architectures")) config["architectures"] = ordered_json::array({info.architecture()});
  if (lacks("model_type") && !info.family().empty()) config["model_type"] = info.family();
  config.erase("auto_map");
  const bool tied = config.contains("tie_word_embeddings") && config["tie_word_embeddings"] == true;
  if (tied != info.tied_embeddings()) config["tie_word_embeddings"] = info.tied_embeddings();
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> WrittenFiles(const std::string& config_json,
                                                                const v1::ModelInfo& info, const v1::Plan& plan,
                                                                const v1::Candidate& candidate,
                                                                const v1::Selection& selection,
                                                                const v1::CardFacts& card) {
  ordered_json config = ordered_json::parse(config_json, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) return ConfigNotAnObjectError();
  MatchConfig(info, config);
  config["quantization_config"] = QuantizationConfig(plan, info.units());
  return std::map<std::string, std::string>{
      {kConfigFile, config.dump(2) + "\n"},
      {kCardFile, ModelCard(info, plan, candidate, selection, card)},
      {kPlanFile, PlanJson(info, plan, candidate, selection, card)},
  };
}

std::vector<TensorDeclaration> ArtifactTensors(const v1::ModelInfo& info, const v1::Plan& plan) {
  std::vector<TensorDeclaration> tensors;
  for (const auto& kept : info.kept()) {
    tensors.push_back(
        {kept.name(), ParseDType(kept.dtype()).value_or(DType::kF32), {kept.shape().begin(), kept.shape().end()}});
  }
  const DType scale_type = ParseDType(info.dtype()).value_or(DType::kF32);
  for (int u = 0; u < plan.units_size(); ++u) {
    const IntFormat format{plan.units(u).format().bits(), plan.units(u).format().group_size()};
    for (const auto& linear : info.units(u).linears()) {
      const int64_t out = linear.out_features(), in = linear.in_features();
      tensors.push_back({linear.name() + ".weight_packed", DType::kI32, {out, format.WordsPerRow(in)}});
      tensors.push_back({linear.name() + ".weight_scale", scale_type, {out, format.Groups(in)}});
      tensors.push_back({linear.name() + ".weight_shape", DType::kI64, {2}});
    }
  }
  std::sort(tensors.begin(), tensors.end(), [](const TensorDeclaration& a, const TensorDeclaration& b) {
    const int64_t size_a = ByteSize(a.dtype), size_b = ByteSize(b.dtype);
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
  return tensors;
}

std::map<std::string, std::string> ArtifactMetadata() { return {{"format", "pt"}}; }

std::string Sha256Sums(const std::map<std::string, std::string>& digests) {
  std::string text;
  for (const auto& [path, sha256] : digests) text.append(sha256).append("  ").append(path).append("\n");
  return text;
}

absl::StatusOr<int64_t> ArtifactBytes(const std::string& config_json, const std::map<std::string, int64_t>& copied,
                                      const v1::ModelInfo& info, const v1::Plan& plan, const v1::Candidate& candidate,
                                      const v1::Selection& selection, const v1::CardFacts& card) {
  ABSL_ASSIGN_OR_RETURN(const auto written, WrittenFiles(config_json, info, plan, candidate, selection, card));
  const std::vector<TensorDeclaration> tensors = ArtifactTensors(info, plan);
  int64_t bytes = static_cast<int64_t>(SafetensorsHeader(tensors, ArtifactMetadata()).size());
  for (const TensorDeclaration& tensor : tensors) bytes += TensorBytes(tensor);
  std::map<std::string, std::string> digests{{kWeightsFile, std::string(64, '0')}};
  for (const auto& [path, size] : copied) {
    bytes += size;
    digests[path] = std::string(64, '0');
  }
  for (const auto& [path, text] : written) {
    bytes += static_cast<int64_t>(text.size());
    digests[path] = std::string(64, '0');
  }
  return bytes + static_cast<int64_t>(Sha256Sums(digests).size());
}

absl::StatusOr<int64_t> ArtifactOverheadBound(const std::string& config_json,
                                              const std::map<std::string, int64_t>& copied, const v1::ModelInfo& info) {
  const v1::Plan plan = LongestPlan(info);
  v1::Selection selection;
  selection.set_scored_tokens(limits::kMaxDataTokens);
  selection.mutable_reference()->set_perplexity(kLongNumber);
  v1::CardFacts card;
  // The card shows both names twice.
  card.set_model(std::string(limits::kMaxDisplayNameBytes, '\x01'));  // six characters each in JSON
  card.set_recipe(std::string(64, 'r'));
  card.set_calibration_tokens(limits::kMaxDataTokens);
  card.set_window(static_cast<int32_t>(info.max_positions()));
  ABSL_ASSIGN_OR_RETURN(const int64_t bytes,
                        ArtifactBytes(config_json, copied, info, plan, LongestCandidate(), selection, card));
  const std::vector<TensorDeclaration> tensors = ArtifactTensors(info, plan);
  int64_t counted = 0;  // kept tensors, and codes and scales of the longest plan, are counted elsewhere
  for (const TensorDeclaration& tensor : tensors) {
    if (!tensor.name.ends_with(".weight_shape")) counted += TensorBytes(tensor);
  }
  return bytes - counted + kOverheadSlackBytes + kSlackBytesPerTensor * static_cast<int64_t>(tensors.size()) +
         kBytesPerFormat * FormatsBeyond(plan, info);
}

}  // namespace bitwright::worker
