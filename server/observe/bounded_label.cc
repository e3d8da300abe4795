#include "server/observe/bounded_label.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace bitwright::server {
namespace {

constexpr char kOther[] = "other";
constexpr size_t kLongest = 64;

bool IsWord(std::string_view value) {
  return !value.empty() && value.size() <= kLongest && std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
  });
}

}  // namespace

std::string BoundedLabel::Bound(std::string_view value) {
  if (!IsWord(value)) return kOther;
  absl::MutexLock lock(&mutex_);
  if (known_.find(value) == known_.end()) {
    if (known_.size() >= most_) return kOther;
    known_.emplace(value);
  }
  return std::string(value);
}

}  // namespace bitwright::server
