#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/contract/digest.h"

namespace bitwright::worker {

// WorkerService, BlobService and ByteStream in this process, on a free port, with blobs in memory. Thread-safe.
class FakeServer {
 public:
  FakeServer();
  ~FakeServer();
  std::string address() const { return address_; }

  v1::Digest Put(const std::string& bytes);
  // Empty when not held.
  std::string Get(const std::string& sha256) const;

  // A lease of an inspect task whose target is `command` and whose input "model/a" is `input`.
  void AddLease(const std::string& task, const std::string& command, const v1::Digest& input,
                const std::string& owner = "jobs/1");
  // The same for whoever asks for small tasks alone; those of AddLease are for whoever asks for any.
  void AddSmallLease(const std::string& task, const std::string& command, const v1::Digest& input,
                     const std::string& owner = "jobs/1");

  struct Faults {
    int refuse_registrations = 0;    // UNAVAILABLE
    bool forget_worker = false;      // the next lease call gets WORKER_UNKNOWN
    int64_t break_read_after = -1;   // the next Read breaks after so many bytes
    int64_t break_write_after = -1;  // the next Write, likewise
    bool corrupt_reads = false;
    int refuse_results = 0;         // DISK_FULL
    bool drain = false;             // answered to each heartbeat; and nobody waits for a lease
    bool dismiss = false;           // WORKER_DRAINED to whoever asks for a lease
    std::vector<std::string> lost;  // answered to each heartbeat
    std::vector<std::string> live = {"jobs/1"};
  };
  struct Seen {
    std::vector<v1::CompleteTaskRequest> completed;
    std::vector<v1::FailTaskRequest> failed;
    std::vector<v1::HeartbeatRequest> heartbeats;
    std::vector<int64_t> read_offsets;
    int64_t bytes_read = 0;
    std::vector<int64_t> write_offsets;  // of the first message of each Write
    std::vector<std::string> workers;    // names given
    int lease_calls = 0;
    int small_lease_calls = 0;  // of those, for small tasks alone
    bool deregistered = false;
    v1::WorkerCapacity capacity;
  };

  void SetFaults(const std::function<void(Faults&)>& change);
  // Waits until `condition` holds for what was seen; false after 30 seconds.
  bool WaitUntil(const std::function<bool(const Seen&)>& condition) const;
  Seen seen() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  std::string address_;
};

}  // namespace bitwright::worker
