#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"
#include "server/web/gateway.h"

namespace bitwright::server {

// One WatchJob call. Not thread-safe.
class JobWatch {
 public:
  // The gateway's token outlives it.
  JobWatch(const Gateway& gateway, const std::string& job);
  ~JobWatch();  // ends the call
  JobWatch(const JobWatch&) = delete;
  JobWatch& operator=(const JobWatch&) = delete;

  struct Event {
    std::optional<v1::Job> job;  // nothing: it has not changed
    bool ended = false;          // the one before was the last
  };
  // Waits for the next state of the job, for so long at most. Errors are those of WatchJob.
  absl::StatusOr<Event> Next(absl::Duration patience);

 private:
  struct Call;
  std::unique_ptr<Call> call_;
};

}  // namespace bitwright::server
