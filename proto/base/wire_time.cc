#include "proto/base/wire_time.h"

namespace bitwright {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kNanosPerMicro = 1000;

template <typename Message>
Message FromMicros(int64_t micros) {
  Message message;
  message.set_seconds(micros / kMicrosPerSecond);
  message.set_nanos(static_cast<int32_t>(micros % kMicrosPerSecond * kNanosPerMicro));
  return message;
}

template <typename Message>
absl::Duration SinceZero(const Message& message) {
  return absl::Seconds(message.seconds()) + absl::Microseconds(message.nanos() / kNanosPerMicro);
}

}  // namespace

google::protobuf::Timestamp ToProto(absl::Time time) { return FromMicros<google::protobuf::Timestamp>(ToMicros(time)); }

google::protobuf::Duration ToProto(absl::Duration duration) {
  return FromMicros<google::protobuf::Duration>(ToMicros(duration));
}

absl::Time FromProto(const google::protobuf::Timestamp& time) { return absl::UnixEpoch() + SinceZero(time); }

absl::Duration FromProto(const google::protobuf::Duration& duration) { return SinceZero(duration); }

}  // namespace bitwright
