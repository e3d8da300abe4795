#pragma once

#include <string>

namespace google::protobuf {
class MessageLite;
}

namespace bitwright {

// The message's wire form with map entries in key order: equal messages have equal bytes, in every process of one
// build. For digests and files; unknown fields are kept.
std::string DeterministicBytes(const google::protobuf::MessageLite& message);

}  // namespace bitwright
