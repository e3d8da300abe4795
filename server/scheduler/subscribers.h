#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace bitwright::server {

// Calls to make once the scheduler's lock is released, in order.
using Outbox = std::vector<std::function<void()>>;

// Who wants to know of changes of a job or model. Plain data: the scheduler's lock guards it.
class Subscribers {
 public:
  // Returns the id to remove it by.
  int64_t Add(const std::string& owner, std::function<void()> on_change);
  void Remove(int64_t id);
  void Notify(const std::string& owner, Outbox& outbox) const;
  void NotifyAll(Outbox& outbox) const;

 private:
  std::map<std::string, std::map<int64_t, std::function<void()>>> by_owner_;
  std::map<int64_t, std::string> owner_of_;
  int64_t next_id_ = 1;
};

}  // namespace bitwright::server
