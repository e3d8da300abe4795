#pragma once

#include <grpcpp/channel.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "proto/base/clock.h"

namespace bitwright::server {

// A bitwrightd without local workers, on a folder of its own that goes with the object. What goes wrong ends the
// program: a benchmark has nobody to report to. Not thread-safe.
class Daemon {
 public:
  // `more`: further flags of the server.
  Daemon(std::string program, const std::string& parent_folder, std::vector<std::string> more = {});
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  void Kill();   // as a crash does it
  void Start();  // again, on the same folder and address; does not wait for an answer
  const std::string& address() const { return address_; }
  std::string web_address() const;  // of its page: "http://127.0.0.1:50312"
  const std::string& folder() const { return folder_; }
  pid_t process() const { return process_; }

 private:
  std::string program_;
  std::string folder_;
  std::vector<std::string> more_;
  std::string address_;
  pid_t process_ = 0;
};

// A connection that shares nothing with any other and looks often whether the server is there again.
std::shared_ptr<grpc::Channel> OwnChannel(const std::string& address);

}  // namespace bitwright::server
