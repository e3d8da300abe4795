#include "workers/targets/target.h"

#include <algorithm>

#include "workers/targets/compressed_tensors.h"
#include "workers/targets/gguf.h"
#include "workers/targets/gptq.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {

const std::string* TargetModel::Text(std::string_view path) const {
  const auto found = texts.find(std::string(path));
  return found == texts.end() ? nullptr : &found->second;
}

std::span<const Target* const> Targets() {
  static const Target* const targets[] = {&CompressedTensors(), &Gguf(), &Gptq()};
  return targets;
}

absl::StatusOr<const Target*> FindTarget(std::string_view name) {
  std::string known;
  for (const Target* target : Targets()) {
    if (name.empty() || target->name() == name) return target;
    known.append(known.empty() ? "" : ", ").append(target->name());
  }
  return TargetUnknownError(name, known);
}

bool Target::Stores(const Format& format, int64_t, int64_t in) const { return Fits(format, in); }

int64_t Target::LinearBytes(const Format& format, int64_t out, int64_t in, DType type) const {
  return CodedBytes(format, out, in, type);
}

std::vector<Format> FormatsThatFit(const Target& target, std::span<const LinearShape> linears) {
  std::vector<Format> formats;
  for (const Format& format : target.formats()) {
    const auto stored = [&](const LinearShape& linear) {
      return target.Stores(format, linear.out, linear.in) && !(linear.expert && InputOf(format).rounds());
    };
    if (std::ranges::all_of(linears, stored)) formats.push_back(format);
  }
  return formats;
}

}  // namespace bitwright::worker
