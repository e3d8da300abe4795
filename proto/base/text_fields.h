#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class Message;
}

namespace bitwright {

// Whether `text`, the value of `field`, is well-formed UTF-8. INVALID_ARGUMENT, reason TEXT_INVALID: names the field
// and the byte.
absl::Status CheckText(std::string_view field, std::string_view text);

// Whether every string field of `message`, at any depth, is well-formed UTF-8. A parser refuses a whole message for one
// bad byte, with a status that names nothing; so whoever sends strings from outside looks first. INVALID_ARGUMENT,
// reason TEXT_INVALID: names the field ("spec.labels[2].value") and the byte.
absl::Status CheckTextFields(const google::protobuf::Message& message);

}  // namespace bitwright
