#include "workers/formats/unit_formats.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"

namespace bitwright::worker {
namespace {

constexpr char kSeparator[] = "+";

}  // namespace

UnitFormats::UnitFormats(std::vector<Format> formats) : formats_(std::move(formats)) {
  CHECK(!formats_.empty()) << "a unit has a format";
  const bool equal = std::ranges::count(formats_, formats_.front()) == std::ssize(formats_);
  if (equal) formats_.resize(1, formats_.front());
}

std::string UnitFormats::Name() const {
  return absl::StrJoin(formats_, kSeparator,
                       [](std::string* out, const Format& format) { out->append(FormatName(format)); });
}

absl::StatusOr<UnitFormats> UnitFormats::Parse(std::string_view name) {
  std::vector<Format> formats;
  for (const absl::string_view part : absl::StrSplit(absl::string_view(name.data(), name.size()), kSeparator)) {
    ABSL_ASSIGN_OR_RETURN(formats.emplace_back(), ParseFormat(std::string_view(part.data(), part.size())));
  }
  return UnitFormats(std::move(formats));
}

}  // namespace bitwright::worker
