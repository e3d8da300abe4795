#include "workers/targets/size_parts.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "workers/targets/format_messages.h"

namespace bitwright::worker {
namespace {

v1::SizePart::Kind KindOf(const v1::UnitInfo& unit) {
  if (unit.block() >= 0) return v1::SizePart::WEIGHTS;
  return unit.embeds() ? v1::SizePart::EMBEDDING : v1::SizePart::HEAD;
}

}  // namespace

int64_t SizeParts::total() const {
  int64_t sum = 0;
  for (const auto& [part, bytes] : bytes_) sum += bytes;
  return sum;
}

google::protobuf::RepeatedPtrField<v1::SizePart> SizeParts::ToProto() const {
  google::protobuf::RepeatedPtrField<v1::SizePart> parts;
  for (const auto& [part, bytes] : bytes_) {
    if (bytes == 0) continue;
    v1::SizePart& to = *parts.Add();
    to.set_kind(part.first);
    to.set_format(part.second);
    to.set_bytes(bytes);
  }
  return parts;
}

TensorParts::TensorParts(const v1::ModelInfo& info, const v1::Plan& plan) {
  for (int u = 0; u < info.units_size(); ++u) {
    const v1::UnitInfo& unit = info.units(u);
    std::vector<std::string> formats;  // of the linears of an expert, or one for all
    if (u < plan.units_size()) {
      for (const Format& format : PlannedFormats(plan.units(u)).all()) formats.push_back(FormatName(format));
    } else {
      formats.emplace_back();
    }
    for (int l = 0; l < unit.linears_size(); ++l) {
      parts_[unit.linears(l).name()] = {KindOf(unit), formats[static_cast<size_t>(l) % formats.size()]};
    }
  }
}

void TensorParts::Add(std::string_view tensor, int64_t bytes, SizeParts& parts) const {
  const auto found = parts_.find(tensor.substr(0, tensor.rfind('.')));
  if (found == parts_.end() || tensor.ends_with(".bias")) return parts.Add(v1::SizePart::KEPT, bytes);
  parts.Add(found->second.first, found->second.second, bytes);
}

v1::SizePart::Kind PartOfCarriedFile(const std::string& path) {
  static constexpr std::array<std::string_view, 8> kOthers = {
      "generation_config", "preprocessor", "processor", "video_preprocessor", "licen",
      "copying",           "notice",       "use_policy"};
  const std::string name = absl::AsciiStrToLower(path);
  const bool other = std::ranges::any_of(kOthers, [&](std::string_view begin) { return name.starts_with(begin); });
  return other ? v1::SizePart::OTHER : v1::SizePart::TOKENIZER;
}

}  // namespace bitwright::worker
