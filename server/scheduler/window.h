#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace bitwright::server {

struct Core;
struct Owner;

// Which unfinished jobs and models are in memory. All that began are; of those that still wait for their turn, the
// first of the queue, up to a bound. The others are rows, in the order of an index: they cost no memory and are looked
// at by nobody. Whoever is asked for by name (to be cancelled) is taken in, too.
//
// A job of higher priority than the last one inside takes its place: that one is forgotten, its rows say all of it.
// Those that wait for a worker that is not there do not count, so that they keep nobody out, up to a second bound.
// Plain data: the scheduler's lock guards it.
class Window {
 public:
  // A job or model was created or left the queue otherwise; nothing else is to be told.
  void OnArrived(Core& core, const std::string& name, int priority);
  // It is in memory; or it was already, or is not to be.
  void OnLoaded(const Owner& owner);
  void OnNotLoaded(const std::string& name) { loading_.erase(name); }
  // It began, or is forgotten: it is no longer one of those that wait in memory.
  void OnLeftQueue(const std::string& name);

  // Takes in what there is room for. Called when somebody ended, and with every tick.
  void Fill(Core& core);
  // From now on nothing says that the store has no more; after a start.
  void LookAgain() { more_jobs_ = more_models_ = true; }

  // Of those that wait inside, how many wait for a worker that is not there.
  void SetAside(size_t count) { aside_ = count; }

  bool loads(const std::string& name) const { return loading_.contains(name); }

 private:
  size_t Room(const Core& core) const;
  void MakeRoom(Core& core, int priority);

  std::map<std::string, int> waiting_;                 // jobs in memory that did not begin, and their priority
  std::set<std::pair<int, std::string>> by_priority_;  // the same
  std::set<std::string> loading_;
  size_t aside_ = 0;
  bool more_jobs_ = true;  // there may be rows beside those in memory
  bool more_models_ = true;
  bool reading_ = false;  // of the queue
};

}  // namespace bitwright::server
