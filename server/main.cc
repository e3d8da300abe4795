#include <malloc.h>
#include <unistd.h>

#include <cstdio>

#include "absl/synchronization/mutex.h"
#include "proto/base/failpoint.h"
#include "proto/base/log.h"
#include "server/app/options.h"
#include "server/app/server.h"
#include "server/app/termination.h"

namespace {

// Messages of a stream are megabytes that come and go: without this each one is mapped and faulted in anew.
void KeepLargeBuffers() {
  constexpr int kMmapThreshold = 32 << 20;  // the most that glibc accepts
  constexpr int kTrimThreshold = 512 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kMmapThreshold);
  ::mallopt(M_TRIM_THRESHOLD, kTrimThreshold);
}

}  // namespace

int main(int argc, char** argv) {
  KeepLargeBuffers();
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
