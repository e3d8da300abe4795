#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/checkpoint.h"
#include "workers/formats/format.h"
#include "workers/quantize/packed_unit.h"
#include "workers/targets/size_parts.h"

namespace bitwright::v1 {
class ModelInfo;
class ModelInfo_KeptTensor;
class Plan;
}  // namespace bitwright::v1

namespace bitwright::worker {

// Files of a model that targets read, where it has them.
inline constexpr std::string_view kReadFiles[] = {"config.json",     "tokenizer.json",    "tokenizer_config.json",
                                                  "tokenizer.model", "added_tokens.json", "chat_template.jinja"};

// A model as targets look at it.
struct TargetModel {
  const v1::ModelInfo& info;
  std::string name;                          // for people
  std::map<std::string, std::string> texts;  // of kReadFiles; config.json is always there
  std::map<std::string, int64_t> carried;    // bytes of ModelInfo.carried_files

  const std::string* Text(std::string_view path) const;
};

// What the card says that only the target knows.
struct CardParts {
  std::string library;  // "transformers"
  std::string tag;      // "compressed-tensors"
  std::string stored;   // a sentence: how the weights are stored, and what is unchanged
};

// What weights are written from.
struct WeightSources {
  const Checkpoint& checkpoint;
  const PackedUnits& packed;
};

// A consumer's file format: what it stores of a model, in how many bytes, and how it is written. A model's units are
// stored in formats that plans choose, its other tensors as they are. Immutable and thread-safe; pure but for
// WriteWeights.
class Target {
 public:
  virtual ~Target() = default;

  virtual std::string_view name() const = 0;          // "compressed-tensors"
  virtual std::string_view weights_file() const = 0;  // "model.safetensors"
  // All formats that it stores, by rising width.
  virtual std::span<const Format> formats() const = 0;
  // Whether the linears of one unit may be stored in different ones: its consumers multiply with each by itself.
  virtual bool linears_differ() const { return false; }
  // Whether a linear [out, in] can be stored in one of them.
  virtual bool Stores(const Format& format, int64_t out, int64_t in) const;
  // Exact bytes of it, of a model whose weights have `type`, without what every format of the target stores alike.
  virtual int64_t LinearBytes(const Format& format, int64_t out, int64_t in, DType type) const;
  // What rounding to one of them takes, in passes of error feedback, and where only what it costs is asked for; whether
  // it holds H beside its factor.
  virtual double rounding_passes() const = 0;
  virtual double pricing_passes() const = 0;
  virtual bool rounding_moment() const = 0;

  // TARGET_CANNOT_STORE: what of this model there is no place for. Errors of what its files are parsed with.
  virtual absl::Status Check(const TargetModel& model) const = 0;
  // Whether embedding and output head are units; otherwise they stay as they are.
  virtual bool stores_ends() const = 0;
  // Bytes in which a tensor that is no unit's is stored.
  virtual int64_t KeptBytes(const v1::ModelInfo_KeptTensor& tensor) const = 0;
  // Whether the artifact takes over one of ModelInfo.carried_files.
  virtual bool Carries(const std::string& path) const = 0;

  // Files that the target writes beside the weights, path → text. CONFIG_INVALID.
  virtual absl::StatusOr<std::map<std::string, std::string>> OwnFiles(const TargetModel& model,
                                                                      const v1::Plan& plan) const = 0;
  // Exact bytes of the weights' file, by what they serve. Errors of Check.
  virtual absl::StatusOr<SizeParts> WeightsSize(const TargetModel& model, const v1::Plan& plan) const = 0;
  // Most that WeightsSize of any plan is above that of this one, beyond what their options' bytes differ by.
  virtual int64_t SlackBytes(const v1::ModelInfo& info, const v1::Plan& plan) const = 0;
  // Writes that file. TASK_INPUT_DAMAGED: a source does not hold a tensor in the plan's shape. `progress`: 0 to 1.
  virtual absl::Status WriteWeights(const std::string& path, const TargetModel& model, const v1::Plan& plan,
                                    const WeightSources& from, const std::function<void(double)>& progress) const = 0;

  virtual CardParts Card() const = 0;
};

// All that there are; the first is the default. They live as long as the program.
std::span<const Target* const> Targets();
// INVALID_ARGUMENT, reason TARGET_UNKNOWN. Empty: the default.
absl::StatusOr<const Target*> FindTarget(std::string_view name);

struct LinearShape {
  int64_t out = 0;
  int64_t in = 0;
  bool expert = false;  // of a mixture
};

// Those of its formats in which it stores all of these linears. Experts have none that rounds their input: transformers
// 5.23 holds them in one tensor, and multiplies with it what comes.
std::vector<Format> FormatsThatFit(const Target& target, std::span<const LinearShape> linears);

}  // namespace bitwright::worker
