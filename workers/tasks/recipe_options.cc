#include "workers/tasks/recipe_options.h"

#include <algorithm>

namespace bitwright::worker {

RoundingOptions RoundingOf(const v1::Recipe::Rounding& rounding) {
  RoundingOptions options;
  options.method =
      rounding.method() == v1::ROUNDING_METHOD_RTN ? RoundingOptions::Method::kRtn : RoundingOptions::Method::kGptq;
  options.scales = rounding.scales() == v1::SCALE_METHOD_ABSMAX ? ScaleMethod::kAbsMax : ScaleMethod::kSearched;
  options.act_order = rounding.act_order();
  options.static_groups = rounding.static_groups();
  if (rounding.damping() > 0) options.damping = rounding.damping();
  return options;
}

ProfileOptions ProfileOptionsOf(const v1::Recipe& recipe) {
  ProfileOptions options;
  options.rounding = RoundingOf(recipe.rounding());
  if (recipe.sensitivity().middle_bits() > 0) options.middle_bits = recipe.sensitivity().middle_bits();
  for (const int bits : recipe.sensitivity().checked_bits()) {
    if (bits != options.middle_bits) options.checked_bits.push_back(bits);
  }
  options.formats = [formats = recipe.formats()](int64_t in) { return FormatsOf(formats, in); };
  return options;
}

std::vector<IntFormat> FormatsOf(const v1::Recipe::Formats& restriction, int64_t in_features) {
  const auto allows = [](const auto& list, int value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
  };
  std::vector<IntFormat> formats;
  for (const IntFormat format : AllowedFormats(in_features)) {
    if (allows(restriction.bits(), format.bits) && allows(restriction.group_sizes(), format.group_size)) {
      formats.push_back(format);
    }
  }
  return formats;
}

IntFormat FormatOf(const v1::Format& format) { return {format.bits(), format.group_size()}; }

v1::Format ToProto(IntFormat format) {
  v1::Format proto;
  proto.set_bits(format.bits);
  proto.set_group_size(format.group_size);
  return proto;
}

int64_t CodedBytes(const UnitSpec& unit, IntFormat format, DType scale_type) {
  int64_t bytes = 0;
  for (const LinearSpec& linear : unit.linears) {
    bytes += StoredBytes(format, linear.out, linear.in, scale_type) - kWeightShapeBytes;
  }
  return bytes;
}

}  // namespace bitwright::worker
