#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/base/clock.h"
#include "server/app/options.h"
#include "server/blobs/disk_files.h"
#include "server/blobs/disk_watch.h"

namespace bitwright::server {

// What tests put in the place of the machine.
struct ServerFakes {
  DiskFault disk_fault;
  DiskProbe disk_probe;
};

// The whole server in one object: the only place that wires its parts together. Tests run it in their own process.
class Server {
 public:
  // Opens the data directory, takes up unfinished work, listens, and starts local workers. `clock` must outlive the
  // server; `fakes` are for tests. Errors of access.h, listen_address.h, data_dir.h, local_workers.h, the store and
  // rpc.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options, const Clock& clock,
                                                       ServerFakes fakes = {});
  ~Server();  // Drain, if that was not done

  const std::string& address() const;
  // Where its local workers reach it: address(), or with TLS a port of their own.
  const std::string& worker_address() const;
  int metrics_port() const;  // 0: off
  // Where KEDA is answered; empty: nowhere but at address().
  std::string scaler_address() const;
  std::string web_url() const;  // empty: off
  std::vector<int> worker_process_ids() const;
  std::string metrics_text() const;

  // Leases nothing more, sends watchers away, ends local workers and all calls. Blocks for some seconds at most.
  void Drain();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace bitwright::server
