#pragma once

#include <map>
#include <optional>
#include <string>

#include "proto/base/clock.h"

namespace bitwright::server {

// Whose turn it is, by tenant: the smaller is sooner. Tenants that are not there have 0.
using TenantTurns = std::map<std::string, double>;

// What each tenant has had of the places where tasks run, so that those with work get equal parts of their time,
// however long the tasks of each are and however many wait. Counting what runs now is not enough: where seven places
// are for three tenants, one would have less for good.
//
// A tenant's turn is the slot-seconds that it has had, and for each task that runs the mean of its tasks more: so a
// place is paid for when it is taken, and a moment in which many are free is not all one tenant's. Time without work
// saves nothing up: who comes back stands where the first of the others stands, and goes on from there. Who has work
// that finds no place for long (its kind of worker is missing) falls behind by kLag at most. Pure: time is what it is
// told. Plain data.
class TenantShares {
 public:
  // One more task waits for a place; one less.
  void Waits(const std::string& tenant, MonotonicTime now);
  void WaitsNoLonger(const std::string& tenant);
  void Started(const std::string& tenant, MonotonicTime now);
  // `started`: nothing where it did not run after all.
  void Ended(const std::string& tenant, std::optional<MonotonicTime> started, MonotonicTime now);

  // Of all that have work.
  TenantTurns TurnsAt(MonotonicTime now) const;

 private:
  struct Share {
    double used = 0;  // slot-seconds until `counted`
    MonotonicTime counted;
    int running = 0;
    int waiting = 0;
    std::optional<double> mean;  // seconds of its tasks; nothing: none has ended
    bool has_work() const { return running > 0 || waiting > 0; }
  };

  double MeanOf(const Share& share) const;
  double Turn(const Share& share, MonotonicTime now) const;
  // How far a tenant with work may be behind the foremost one.
  double Lag() const;
  Share& Awake(const std::string& tenant, MonotonicTime now);

  std::map<std::string, Share> shares_;  // of tenants that were ever seen
  std::optional<double> mean_;           // of all tasks
};

}  // namespace bitwright::server
