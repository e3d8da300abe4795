#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

// Time as rows and messages hold it: the only place where absl::Time and absl::Duration become numbers. All conversions
// keep whole microseconds and cut off the rest.
namespace bitwright {

// Microseconds since 1970-01-01 UTC; of a duration, its length.
inline int64_t ToMicros(absl::Time time) { return absl::ToUnixMicros(time); }
inline int64_t ToMicros(absl::Duration duration) { return absl::ToInt64Microseconds(duration); }
inline absl::Time TimeFromMicros(int64_t micros) { return absl::FromUnixMicros(micros); }

google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);
absl::Time FromProto(const google::protobuf::Timestamp& time);
absl::Duration FromProto(const google::protobuf::Duration& duration);

}  // namespace bitwright
