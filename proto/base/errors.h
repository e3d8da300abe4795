#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright {

// What a program learns from an error: a stable reason and its facts. Carried in the status as google.rpc.ErrorInfo
// with domain "bitwright".
struct ErrorDetail {
  std::string reason;                           // UPPER_SNAKE_CASE
  std::map<std::string, std::string> metadata;  // for example {"file", "model.safetensors"}, {"limit", "100000000"}
};

// An error with an ErrorInfo. `message` is a sentence for a person: what is wrong, which one, the limit, what to do.
// Both may hold text from hostile files: what is not printable UTF-8 is replaced (utf8.h).
absl::Status MakeError(absl::StatusCode code, std::string_view reason, std::string_view message,
                       std::map<std::string, std::string> metadata = {});

// The detail that MakeError put there; nothing for OK and for statuses made elsewhere.
std::optional<ErrorDetail> GetErrorDetail(const absl::Status& status);

// The reason alone; empty when there is none.
std::string ErrorReason(const absl::Status& status);

}  // namespace bitwright
