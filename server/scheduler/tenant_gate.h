#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace bitwright::server {

// Which jobs may begin where a tenant may have so many running. A job enters with its first task for which there is a
// place, and counts from then on; the others wait in line, higher priority first, then the older. Whoever is inside and
// has not begun gives way to one that goes before it. All that began count, whatever the limit. Knows no tasks. Plain
// data: the scheduler's lock guards it.
class TenantGate {
 public:
  struct Job {
    std::string name;
    std::string tenant;
    int priority = 0;
    absl::Time create_time;
  };
  // Jobs whose turn has come, and those that must wait after all.
  struct Moves {
    std::vector<std::string> let_in, put_back;
    bool empty() const { return let_in.empty() && put_back.empty(); }
  };

  // Running jobs by tenant; 0: any number.
  struct Limits {
    int64_t others = 0;  // of tenants without a limit of their own
    std::map<std::string, int64_t> own;
    int64_t Of(const std::string& tenant) const;
  };

  void LimitOthers(int64_t running_jobs) { limits_.others = running_jobs; }
  void Limit(const std::string& tenant, int64_t running_jobs);
  int64_t LimitOf(const std::string& tenant) const { return limits_.Of(tenant); }
  const Limits& limits() const { return limits_; }

  // Whether the job may begin now; where it may not, it waits in line until it is let in.
  bool Enter(const Job& job);
  // It begins, or did before.
  void Begin(const Job& job);
  // It cannot begin for another reason, and keeps nobody out meanwhile. Without effect once it began.
  void Yield(const std::string& job);
  // It has ended, or is in memory no more.
  void Leave(const std::string& job);

  // Whether nothing but the limit keeps it from beginning.
  bool Holds(const std::string& job) const;
  bool IsBegun(const std::string& job) const;
  int64_t BegunOf(const std::string& tenant) const;  // jobs
  size_t held() const { return held_; }
  // What has changed for jobs other than the one that a call was about, since the last time.
  Moves TakeMoves() { return std::exchange(moves_, {}); }

 private:
  // Smaller is sooner.
  struct Rank {
    int minus_priority = 0;
    absl::Time create_time;
    std::string name;
    bool operator<(const Rank& other) const;
  };
  enum class Stand { kHeld, kInside, kBegun };
  struct Entry {
    std::string tenant;
    Rank rank;
    Stand stand = Stand::kHeld;
  };
  struct Line {
    std::set<Rank> held, inside;
    int64_t begun = 0;
  };

  const Entry* Find(const std::string& job) const;
  // Puts the job there, wherever it stood.
  void Put(const Job& job, Stand stand);
  void Move(Entry& entry, Stand stand);
  void Erase(const std::string& job);
  // Lets in and puts back what the limit says.
  void Settle(const std::string& tenant);

  Limits limits_;
  std::map<std::string, Entry> entries_;  // by job
  std::map<std::string, Line> lines_;     // by tenant
  size_t held_ = 0;
  Moves moves_;
};

}  // namespace bitwright::server
