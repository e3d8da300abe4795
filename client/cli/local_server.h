#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "proto/base/cancel_token.h"

namespace bitwright::client {

// A bitwrightd of our own: on a socket in a private folder (mode 0700), in a process group of its own, told to end with
// us. The object's end stops it with its workers and removes the folder; a data folder that the user named stays.
class LocalServer {
 public:
  // Returns once the service answers its health check (at most 60 s). Call from the thread that lives longest: the
  // service ends with the thread that started it. DAEMON_NOT_FOUND, DAEMON_FAILED (with the end of its log),
  // INTERRUPTED.
  static absl::StatusOr<std::unique_ptr<LocalServer>> Start(const LocalOptions& options, const Environment& environment,
                                                            std::shared_ptr<CancelToken> cancel);
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  std::string address() const { return "unix:" + private_dir_ + "/socket"; }
  const std::string& private_dir() const { return private_dir_; }
  // Stops the service and keeps its data: moves it to `place` where that is on the same disk, otherwise leaves it where
  // it is. Returns the folder. Data that the user named stays there in any case.
  std::string KeepData(const std::string& place);
  bool owns_data() const { return owns_data_; }
  // DAEMON_FAILED instead of `status` when the process has ended; else `status`.
  absl::Status Explain(const absl::Status& status);

 private:
  LocalServer() = default;
  absl::Status StartDaemon(const std::string& daemon, const LocalOptions& options);
  absl::Status AwaitHealth(std::shared_ptr<CancelToken> cancel);
  bool Ended();
  void Stop();
  std::string LastLogLines() const;

  std::string private_dir_;
  std::string data_dir_;
  std::string log_path_;
  bool owns_data_ = false;  // nobody named the folder: it goes with the object
  bool keeps_data_ = false;
  int pid_ = 0;  // also the process group; 0: not running
};

// The executable: $BITWRIGHTD, else beside our own, else in PATH. DAEMON_NOT_FOUND.
absl::StatusOr<std::string> FindDaemon(const Environment& environment);

}  // namespace bitwright::client
