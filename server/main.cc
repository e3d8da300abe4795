#include <unistd.h>

#include <cstdio>

#include "absl/synchronization/mutex.h"
#include "proto/base/failpoint.h"
#include "proto/base/log.h"
#include "server/app/options.h"
#include "server/app/server.h"
#include "server/app/termination.h"

// jemalloc reads it at its start. Few arenas: each keeps what was freed in it. Messages of a stream are megabytes that
// come and go: given back at once, each would be faulted in anew.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:4,dirty_decay_ms:30000";
}

int main(int argc, char** argv) {
  // Abseil as distributions build it looks at every lock for cycles, gRPC's included; tests do so for us.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const int parent = ::getppid();  // before anything that takes time: it may end while the server starts
  const bitwright::server::CommandLine command = bitwright::server::ParseCommandLine(argc, argv);
  if (!command.options) return command.exit_code;
  bitwright::SetMinLogSeverity(command.options->log_level);
  bitwright::SetLogFormat(command.options->log_format);
  if (const absl::Status armed = bitwright::Failpoints::Arm(command.options->failpoints); !armed.ok()) {
    std::fprintf(stderr, "bitwrightd: %s\n", std::string(armed.message()).c_str());
    return 2;
  }
  bitwright::server::BlockTerminationSignals();
  const bitwright::SystemClock clock;
  const auto server = bitwright::server::Server::Start(*command.options, clock);
  if (!server.ok()) {
    std::fprintf(stderr, "bitwrightd: %s\n", std::string(server.status().message()).c_str());
    return 1;
  }
  LOG(INFO) << "bitwrightd listens on " << (*server)->address();
  bitwright::server::WaitForTermination(command.options->exit_with_parent ? parent : 0);
  LOG(INFO) << "bitwrightd drains";
  (*server)->Drain();
  return 0;
}
