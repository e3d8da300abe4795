#include "proto/contract/format_choice.h"

#include <algorithm>

#include "proto/contract/targets.h"

namespace bitwright {

bool AllowsFormat(const v1::Recipe::Formats& formats, std::string_view name, int32_t bits, int32_t group_size) {
  const auto allows = [](const auto& list, const auto& value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
  };
  if (formats.names().empty() && std::ranges::count(kFormatsOnRequest, name) > 0) return false;
  return allows(formats.names(), name) && allows(formats.bits(), bits) && allows(formats.group_sizes(), group_size);
}

v1::Recipe::Formats FormatsOfEnds(const v1::Recipe::Formats& formats) {
  if (formats.ends().empty()) return formats;
  v1::Recipe::Formats own;
  *own.mutable_names() = formats.ends();
  return own;
}

}  // namespace bitwright
