#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace google::protobuf {
class MessageLite;
}

namespace bitwright::worker {

// The pipe between agent and child: each message preceded by its size as little-endian u32.
inline constexpr size_t kMaxFrameBytes = 64 << 20;

// UNAVAILABLE, reason PIPE_BROKEN: the other end is closed (SIGPIPE must be ignored), or the message is too large.
absl::Status WriteFrame(int fd, const google::protobuf::MessageLite& message);

// Waits for one message. False: the pipe ended between two messages. UNAVAILABLE, reason PIPE_BROKEN: it ended within
// one, a frame is larger than kMaxFrameBytes, or its bytes are no such message.
absl::StatusOr<bool> ReadFrame(int fd, google::protobuf::MessageLite& message);

}  // namespace bitwright::worker
