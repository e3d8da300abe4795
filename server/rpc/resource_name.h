#pragma once

#include <string>

namespace google::protobuf {
class Message;
}

namespace bitwright::server {

// What a request or an answer is about, as the contract names it: its field "name", or "worker" where it has none.
// Empty: it has neither, or nothing stands there.
std::string ResourceName(const google::protobuf::Message& message);

}  // namespace bitwright::server
