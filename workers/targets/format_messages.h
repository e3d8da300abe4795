#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "workers/formats/format.h"

namespace bitwright::v1 {
class Format;
}

namespace bitwright::worker {

// Between a format and its message. INVALID_ARGUMENT, reason FORMAT_UNKNOWN: no kind is set, or no such format.
absl::StatusOr<Format> FormatOf(const v1::Format& message);
v1::Format ToProto(const Format& format);

// Whether both name the same format, or none.
bool SameFormat(const v1::Format& a, const v1::Format& b);

// "int4-g128", "Q4_K". Of a message that passed FormatOf.
std::string NameOf(const v1::Format& message);

}  // namespace bitwright::worker
