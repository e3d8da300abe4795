#include "workers/targets/target.h"

#include "workers/targets/compressed_tensors.h"
#include "workers/targets/gguf.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {

const std::string* TargetModel::Text(std::string_view path) const {
  const auto found = texts.find(std::string(path));
  return found == texts.end() ? nullptr : &found->second;
}

std::span<const Target* const> Targets() {
  static const Target* const targets[] = {&CompressedTensors(), &Gguf()};
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

std::vector<Format> FormatsThatFit(const Target& target, int64_t in) {
  std::vector<Format> formats;
  for (const Format& format : target.formats()) {
    if (Fits(format, in)) formats.push_back(format);
  }
  return formats;
}

}  // namespace bitwright::worker
