#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/base/owned_fd.h"

namespace bitwright::client {

// The word after --calibration that means the text within this program. A file of that name is given as "./sample".
inline constexpr std::string_view kSampleWord = "sample";
// What reports call it.
inline constexpr std::string_view kSampleName = "sample (ships with Bitwright)";

// deploy/sample/mixed.txt: prose, dialogue, code, lists and several languages, compiled in.
std::string_view SampleTextBytes();

// The text as a file of this process that is on no disk; it is there as long as the object.
class SampleText {
 public:
  static absl::StatusOr<std::shared_ptr<const SampleText>> Make();  // FILE_UNWRITABLE
  const std::string& path() const { return path_; }

 private:
  explicit SampleText(OwnedFd fd) : fd_(std::move(fd)), path_("/proc/self/fd/" + std::to_string(fd_.get())) {}

  OwnedFd fd_;
  std::string path_;
};

}  // namespace bitwright::client
