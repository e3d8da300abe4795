#include "server/web/sessions.h"

#include <algorithm>

#include "proto/base/random_id.h"
#include "proto/contract/digest.h"

namespace bitwright::server {
namespace {

constexpr int kIdDigits = 64;  // 256 bits

}  // namespace

Sessions::Sessions(const Clock& clock) : clock_(clock), nobody_{.token = "", .csrf = RandomId(kIdDigits)} {}

std::string Sessions::Open(const std::string& token) {
  std::string id = RandomId(kIdDigits);
  const MonotonicTime now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  MakeRoom(now);
  open_[Sha256Hex(id)] = {.session = {.token = token, .csrf = RandomId(kIdDigits)}, .used = now};
  return id;
}

std::optional<Session> Sessions::Find(const std::string& id) {
  const MonotonicTime now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  const auto found = open_.find(Sha256Hex(id));
  if (found == open_.end()) return std::nullopt;
  if (now - found->second.used > kIdle) {
    open_.erase(found);
    return std::nullopt;
  }
  found->second.used = now;
  return found->second.session;
}

void Sessions::Close(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  open_.erase(Sha256Hex(id));
}

void Sessions::MakeRoom(MonotonicTime now) {
  std::erase_if(open_, [now](const auto& entry) { return now - entry.second.used > kIdle; });
  if (open_.size() < kMost) return;
  open_.erase(std::min_element(open_.begin(), open_.end(),
                               [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

}  // namespace bitwright::server
