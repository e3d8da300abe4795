#pragma once

#include <cstdint>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "server/scheduler/clock.h"

namespace bitwright {

inline google::protobuf::Timestamp ToTimestamp(int64_t micros) {
  google::protobuf::Timestamp time;
  time.set_seconds(micros / kMicrosPerSecond);
  time.set_nanos(static_cast<int32_t>(micros % kMicrosPerSecond) * 1000);
  return time;
}

inline int64_t ToMicros(const google::protobuf::Timestamp& time) {
  return time.seconds() * kMicrosPerSecond + time.nanos() / 1000;
}

inline google::protobuf::Duration ToDuration(int64_t micros) {
  google::protobuf::Duration duration;
  duration.set_seconds(micros / kMicrosPerSecond);
  duration.set_nanos(static_cast<int32_t>(micros % kMicrosPerSecond) * 1000);
  return duration;
}

inline int64_t ToMicros(const google::protobuf::Duration& duration) {
  return duration.seconds() * kMicrosPerSecond + duration.nanos() / 1000;
}

}  // namespace bitwright
