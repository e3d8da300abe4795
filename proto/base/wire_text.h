#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class Descriptor;
}

namespace bitwright {

// What text_fields.h asks of a message, asked of its wire form, for a receiver: a parser that met a string which is not
// UTF-8 says no more than that it failed. INVALID_ARGUMENT, reason TEXT_INVALID: names the first such field. OK where
// every string can be read and is UTF-8, or where the bytes are no message at all from some place on.
absl::Status CheckWireText(std::string_view bytes, const google::protobuf::Descriptor& type);

}  // namespace bitwright
