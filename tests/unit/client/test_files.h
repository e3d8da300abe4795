#pragma once

#include <string>
#include <string_view>

#include "client/api/client_errors.h"
#include "proto/base/files.h"

namespace bitwright::client {

// Whole files of a test, with the client's errors.
inline absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  return bitwright::ReadWholeFile(path, FileUnreadableError);
}
inline absl::Status WriteWholeFile(const std::string& path, std::string_view data) {
  return bitwright::WriteWholeFile(path, data, FileUnwritableError);
}

}  // namespace bitwright::client
