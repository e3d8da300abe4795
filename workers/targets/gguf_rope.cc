#include "workers/targets/gguf_rope.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "proto/base/status_macros.h"
#include "workers/model/rope.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using Kind = RopeConfig::Kind;

GgufSource Factors(std::string name, std::vector<float> values) {
  const auto count = static_cast<int64_t>(values.size());
  return {.name = std::move(name), .tensor = {}, .shape = {count}, .values = std::move(values)};
}

// What each plain frequency is divided by.
std::vector<float> Divisors(const RopeConfig& rope, int64_t rotary) {
  RopeConfig plain = rope;
  plain.kind = Kind::kDefault;
  std::vector<float> divisors = RopeFrequencies(plain, rotary, 1);
  const std::vector<float> frequencies = RopeFrequencies(rope, rotary, 1);
  for (size_t i = 0; i < divisors.size(); ++i) divisors[i] /= frequencies[i];
  return divisors;
}

std::vector<float> Narrowed(const std::vector<double>& factors) { return {factors.begin(), factors.end()}; }

class Describer {
 public:
  Describer(const GgufFamily& family, const RopeConfig& rope, int64_t rotary)
      : family_(family), rope_(rope), rotary_(rotary), prefix_(std::string(family.architecture) + ".rope.") {}

  void Number(const std::string& key, double value) {
    described_.settings.push_back(GgufNumber(prefix_ + key, static_cast<float>(value)));
  }
  void Count(const std::string& key, double value) {
    described_.settings.push_back(GgufNumber(prefix_ + key, static_cast<uint32_t>(value)));
  }

  absl::Status Scaling() {
    switch (rope_.kind) {
      case Kind::kDefault:
        return absl::OkStatus();
      case Kind::kLinear:
        Type("linear");
        Number("scaling.factor", rope_.factor);
        return absl::OkStatus();
      case Kind::kDynamic:
        return GgufCannotStoreError("a dynamic rotary embedding", "llama.cpp has none");
      case Kind::kLlama3:
        if (!family_.frequency_factors) return NotHere("a llama3 rotary embedding");
        described_.tensors.push_back(Factors("rope_freqs.weight", Divisors(rope_, rotary_)));
        return absl::OkStatus();
      case Kind::kYarn:
        return Yarn();
      case Kind::kLongRope:
        return LongRope();
    }
    return absl::OkStatus();
  }

  GgufRope Take() { return std::move(described_); }

 private:
  static absl::Status NotHere(const std::string& what) {
    return GgufCannotStoreError(what, "llama.cpp does not compute it in this architecture");
  }

  void Type(const char* type) { described_.settings.push_back(GgufText(prefix_ + "scaling.type", type)); }

  // llama.cpp multiplies by 0.1 · ln(factor) + 1 in any case; its attn_factor is what comes on top.
  absl::Status Yarn() {
    // Its keys for these are read in other architectures only.
    if (rope_.beta_fast != 32 || rope_.beta_slow != 1) return NotHere("a yarn of other betas than 32 and 1");
    if (!rope_.truncate) return NotHere("a yarn with truncate false");
    Type("yarn");
    Number("scaling.factor", rope_.factor);
    Count("scaling.original_context_length", rope_.original_max_positions);
    const double usual = rope_.factor <= 1 ? 1 : 0.1 * std::log(rope_.factor) + 1;
    Number("scaling.attn_factor", RopeFactor(rope_) / usual);
    return absl::OkStatus();
  }

  absl::Status LongRope() {
    if (!family_.long_factors) return NotHere("a longrope");
    Type("longrope");
    Count("scaling.original_context_length", rope_.original_max_positions);
    Number("scaling.attn_factor", RopeFactor(rope_));
    described_.tensors.push_back(Factors("rope_factors_long.weight", Narrowed(rope_.long_factor)));
    described_.tensors.push_back(Factors("rope_factors_short.weight", Narrowed(rope_.short_factor)));
    return absl::OkStatus();
  }

  const GgufFamily& family_;
  const RopeConfig& rope_;
  int64_t rotary_;
  std::string prefix_;
  GgufRope described_;
};

}  // namespace

absl::StatusOr<GgufRope> DescribeGgufRope(const GgufFamily& family, const ModelConfig& config, int64_t head_dim) {
  if (config.ropes.empty()) return GgufRope();
  const RopeConfig& rope = config.ropes[0];
  Describer describer(family, rope, rope.Rotary(head_dim));
  describer.Number("freq_base", rope.theta);
  describer.Count("dimension_count", static_cast<double>(rope.Rotary(head_dim)));
  ABSL_RETURN_IF_ERROR(describer.Scaling());
  if (config.ropes.size() > 1) {
    // Scaling is that of blocks without a window; of the others llama.cpp knows the base alone.
    const RopeConfig& local = config.ropes[1];
    if (local.kind != Kind::kDefault || (rope.kind != Kind::kDefault && rope.kind != Kind::kLinear)) {
      return GgufCannotStoreError("a scaled rotary embedding of windows", "llama.cpp has a base for it, no more");
    }
    describer.Number("freq_base_swa", local.theta);
  }
  return describer.Take();
}

}  // namespace bitwright::worker
