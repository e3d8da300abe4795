#include "workers/tasks/recipe_options.h"

#include <utility>

#include "proto/contract/format_choice.h"

namespace bitwright::worker {

RoundingOptions RoundingOf(const v1::Recipe::Rounding& rounding) {
  RoundingOptions options;
  options.method =
      rounding.method() == v1::ROUNDING_METHOD_RTN ? RoundingOptions::Method::kRtn : RoundingOptions::Method::kGptq;
  options.scales = rounding.scales() == v1::SCALE_METHOD_ABSMAX ? ScaleMethod::kAbsMax : ScaleMethod::kSearched;
  options.act_order = rounding.act_order();
  options.static_groups = rounding.static_groups();
  const bool none = rounding.sweeps() == v1::SWEEPS_NONE;
  if (none) options.steps.sweeps = 0;
  options.steps.refit = !none && rounding.sweeps() != v1::SWEEPS_PLAIN;
  if (rounding.damping() > 0) options.damping = rounding.damping();
  return options;
}

ProfileOptions ProfileOptionsOf(const v1::Recipe& recipe, const Target& target) {
  ProfileOptions options;
  options.rounding = RoundingOf(recipe.rounding());
  if (recipe.sensitivity().middle_bits() > 0) options.middle_bits = recipe.sensitivity().middle_bits();
  for (const int bits : recipe.sensitivity().checked_bits()) {
    if (bits != options.middle_bits) options.checked_bits.push_back(bits);
  }
  options.formats = [formats = recipe.formats(), &target](const UnitSpec& unit) {
    return FormatsOf(formats, target, unit);
  };
  return options;
}

ProfileOptions CheckOptionsOf(const v1::Recipe& recipe) {
  const Target& target = *Targets().front();
  ProfileOptions options = ProfileOptionsOf(recipe, target);
  options.formats = [allowed = std::move(options.formats), &target](const UnitSpec& unit) {
    const auto rounded = [](std::vector<Format> formats) {
      std::erase_if(formats, [](const Format& format) { return std::holds_alternative<PlainFormat>(format); });
      return formats;
    };
    std::vector<Format> formats = rounded(allowed(unit));
    return formats.empty() ? rounded(FormatsOf({}, target, unit)) : formats;
  };
  return options;
}

std::vector<Format> FormatsOf(const v1::Recipe::Formats& restriction, const Target& target, const UnitSpec& unit) {
  std::vector<LinearShape> shapes;
  for (const LinearSpec& linear : unit.linears) shapes.push_back({linear.out, linear.in, unit.experts > 1});
  std::vector<Format> formats;
  for (const Format& format : FormatsThatFit(target, shapes)) {
    const auto group_size = static_cast<int32_t>(GroupSizeOf(format));
    if (AllowsFormat(restriction, FormatName(format), WidthOf(format), group_size)) formats.push_back(format);
  }
  return formats;
}

int64_t UnitBytes(const Target& target, const UnitSpec& unit, const Format& format, DType type) {
  int64_t bytes = 0;
  for (size_t l = 0; l < unit.linears_of_expert(); ++l) bytes += LinearBytes(target, unit, l, format, type);
  return bytes;
}

int64_t LinearBytes(const Target& target, const UnitSpec& unit, size_t linear, const Format& format, DType type) {
  int64_t bytes = 0;
  for (size_t l = linear; l < unit.linears.size(); l += unit.linears_of_expert()) {
    bytes += target.LinearBytes(format, unit.linears[l].out, unit.linears[l].in, type);
  }
  return bytes;
}

}  // namespace bitwright::worker
