#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace bitwright::server {

struct Core;
struct Owner;

// Which unfinished jobs and models are in memory. All that began are; of those that still wait for their turn, the
// first of the queue, up to a bound, of several tenants by turns. The others are rows, in the order of an index: they
// cost no memory and are looked at by nobody. Whoever is asked for by name (to be cancelled) is taken in, too.
//
// A job of higher priority than the last one inside takes its place, and one of equal priority that of a tenant which
// has more inside: that one is forgotten, its rows say all of it. Those that wait for a worker that is not there, or
// for their tenant's limit of running jobs, do not count, so that they keep nobody out, up to a second bound; of a
// tenant with such a limit no more are taken in than may soon begin. Plain data: the scheduler's lock guards it.
class Window {
 public:
  // A job or model was created or left the queue otherwise; nothing else is to be told.
  void OnArrived(Core& core, const std::string& name, const std::string& tenant, int priority);
  // It is in memory; or it was already, or is not to be.
  void OnLoaded(const Owner& owner);
  void OnNotLoaded(const std::string& name) { Loads(name, false); }
  // It is forgotten: it is no longer one of those that wait in memory.
  void OnLeftQueue(const std::string& name);
  // It is no longer one of those, since it began.
  void OnBegun(Core& core, const std::string& name);

  // Takes in what there is room for. Called when somebody ended, when few are left that wait, and with every tick.
  void Fill(Core& core);
  // From now on nothing says that the store has no more; after a start, or when a limit changed.
  void LookAgain() { more_jobs_ = more_models_ = true; }

  // Of those that wait inside, how many wait for a worker that is not there.
  void SetAside(size_t count) { aside_ = count; }

  bool loads(const std::string& name) const { return loading_.contains(name); }

 private:
  // Of a job that waits inside; smaller is sooner put out.
  struct Rank {
    int priority = 0;
    absl::Time create_time;
    std::string name;
    bool operator<(const Rank& other) const;
  };
  struct Waiting {
    std::string tenant;
    Rank rank;
  };

  size_t Room(const Core& core) const;
  // Of this tenant; those that are being loaded, too.
  size_t Inside(const std::string& tenant) const;
  // The most that may wait inside; nothing: no bound of its own.
  static size_t MostOf(const Core& core, const std::string& tenant);
  bool TakesMore(const Core& core, const std::string& tenant) const { return Inside(tenant) < MostOf(core, tenant); }
  // Puts out one job that the newcomer goes before, if there is one: of its own tenant alone, or of any.
  void MakeRoom(Core& core, const std::string& tenant, int priority, bool own_alone);
  const Rank* FirstToGo(Core& core, const std::set<Rank>& line) const;
  void Loads(const std::string& name, bool loads, const std::string& tenant = {});
  void Take(Core& core, const std::string& name, const std::string& tenant);

  std::map<std::string, Waiting> waiting_;           // jobs in memory that did not begin
  std::map<std::string, std::set<Rank>> by_tenant_;  // the same
  std::map<std::string, std::string> loading_;       // names, and the tenants of jobs
  std::map<std::string, size_t> loading_of_;         // jobs that are being loaded, by tenant
  std::set<std::string> sated_;                      // tenants of which there are more rows than they may have inside
  size_t aside_ = 0;
  bool more_jobs_ = true;  // there may be rows beside those in memory
  bool more_models_ = true;
  bool reading_ = false;  // of the queue
};

}  // namespace bitwright::server
