#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/log.h"
#include "workers/agent/agent.h"
#include "workers/agent/device_choice.h"

namespace bitwright::worker {

// What the command line of `bitwright-worker` says, of an agent or a child.
struct WorkerFlags {
  bool execute = false;
  bool exit_with_parent = false;
  int64_t memory = 0;
  LogSeverity log_level = LogSeverity::kInfo;
  LogFormat log_format = LogFormat::kText;
  std::vector<std::string> folders;  // of a child: inputs, outputs
  DeviceChoice device;
  std::string failpoints;  // for tests
  AgentOptions agent;
};

// Exit code when the program is to end at once.
std::optional<int> ParseFlags(int argc, char** argv, WorkerFlags& flags);

}  // namespace bitwright::worker
