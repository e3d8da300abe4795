#pragma once

#include "proto/base/clock.h"
#include "server/observe/metrics.h"
#include "server/observe/span.h"
#include "server/rpc/lane.h"

namespace bitwright::server {

// Which calls share threads. What workers say must get through whatever clients do: a heartbeat that waits behind
// uploads is a lost lease. Health is answered by gRPC itself.
// A thread waits while what its call says is made durable: as many as go into one commit.
inline constexpr LaneLimits kWorkLane{.name = "work", .threads = 32, .most_waiting = 1024, .most_streams = 4096};
inline constexpr LaneLimits kControlLane{.name = "control", .threads = 16, .most_waiting = 256, .most_streams = 4096};
// Hashing takes whole processors; what others say takes little of one, but at once.
inline constexpr LaneLimits kBulkLane{
    .name = "bulk", .threads = 8, .most_waiting = 256, .most_streams = 512, .nice = 5};
// At an address of its own, where nobody says who calls.
inline constexpr LaneLimits kScalerLane{.name = "scaler", .threads = 2, .most_waiting = 64, .most_streams = 256};

struct Lanes {
  Lanes(Metrics& metrics, const Clock& clock, const Authenticator& authenticator, AuditLog& audit,
        SpanSink* spans = nullptr)
      : work_lane(kWorkLane, metrics),
        control_lane(kControlLane, metrics),
        bulk_lane(kBulkLane, metrics),
        work{metrics, work_lane, clock, authenticator, audit, spans},
        control{metrics, control_lane, clock, authenticator, audit, spans},
        bulk{metrics, bulk_lane, clock, authenticator, audit, spans} {}

  Lane work_lane;
  Lane control_lane;
  Lane bulk_lane;
  RpcEnvironment work;     // WorkerService: leases, heartbeats, results
  RpcEnvironment control;  // models, jobs, recipes, capabilities, operators
  RpcEnvironment bulk;     // ByteStream, FindMissingBlobs
};

}  // namespace bitwright::server
