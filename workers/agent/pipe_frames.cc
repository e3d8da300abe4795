#include "workers/agent/pipe_frames.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "google/protobuf/message_lite.h"
#include "proto/base/status_macros.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {
namespace {

// Number of bytes read; fewer than `size` only at the pipe's end.
absl::StatusOr<size_t> ReadFully(int fd, char* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(fd, data + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return PipeBrokenError(std::strerror(errno));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

}  // namespace

absl::Status WriteFrame(int fd, const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  if (size > kMaxFrameBytes) return PipeBrokenError("a message is too large");
  std::string frame;
  frame.reserve(size + 4);
  for (int shift = 0; shift < 32; shift += 8) frame.push_back(static_cast<char>((size >> shift) & 0xff));
  message.AppendToString(&frame);
  for (size_t done = 0; done < frame.size();) {
    const ssize_t put = ::write(fd, frame.data() + done, frame.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return PipeBrokenError(std::strerror(errno));
    done += static_cast<size_t>(put);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ReadFrame(int fd, google::protobuf::MessageLite& message) {
  unsigned char head[4] = {};
  ABSL_ASSIGN_OR_RETURN(const size_t got, ReadFully(fd, reinterpret_cast<char*>(head), sizeof head));
  if (got == 0) return false;
  if (got < sizeof head) return PipeBrokenError("it ended within a message's size");
  uint32_t size = 0;
  for (int i = 0; i < 4; ++i) size |= uint32_t{head[i]} << (8 * i);
  if (size > kMaxFrameBytes) return PipeBrokenError("a message of " + std::to_string(size) + " bytes is announced");
  std::string body(size, '\0');
  ABSL_ASSIGN_OR_RETURN(const size_t body_size, ReadFully(fd, body.data(), size));
  if (body_size < size) return PipeBrokenError("it ended within a message");
  if (!message.ParseFromString(body)) return PipeBrokenError("a message cannot be parsed");
  return true;
}

}  // namespace bitwright::worker
