#include "server/scheduler/subscribers.h"

#include <utility>

namespace bitwright::server {

int64_t Subscribers::Add(const std::string& owner, std::function<void()> on_change) {
  by_owner_[owner][next_id_] = std::move(on_change);
  owner_of_[next_id_] = owner;
  return next_id_++;
}

void Subscribers::Remove(int64_t id) {
  const auto it = owner_of_.find(id);
  if (it == owner_of_.end()) return;
  const auto calls = by_owner_.find(it->second);
  calls->second.erase(id);
  if (calls->second.empty()) by_owner_.erase(calls);
  owner_of_.erase(it);
}

void Subscribers::Notify(const std::string& owner, Outbox& outbox) const {
  const auto calls = by_owner_.find(owner);
  if (calls == by_owner_.end()) return;
  for (const auto& [id, call] : calls->second) outbox.push_back(call);
}

void Subscribers::NotifyAll(Outbox& outbox) const {
  for (const auto& [owner, calls] : by_owner_) Notify(owner, outbox);
}

}  // namespace bitwright::server
