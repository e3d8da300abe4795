#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/capabilities.pb.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/workers.pb.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

namespace bitwright::client {

// What one look at a service, or at this machine, has found.
struct Finding {
  enum class State { kGood, kWarning, kFault };
  std::string about;  // "workers"
  State state = State::kGood;
  std::string text;  // what is there, and, unless it is good, the remedy
};

// What stands in the way of jobs; pure.
Finding CheckVersion(std::string_view own, const v1::Capabilities& server);
Finding CheckStorage(const v1::Capabilities& server);
std::vector<Finding> CheckWorkers(std::span<const v1::Worker> workers);
// What a job would cost, and whether a worker has the memory for its largest task.
Finding CheckCost(const v1::Estimate& estimate, std::span<const v1::Worker> workers);

// Looks at the service that commands go to, and with a model at what a job of it would cost; prints what it found.
// Gives kFailed where there is a fault, kUnreachable where no service answers.
absl::StatusOr<ExitCode> Doctor(const CommandContext& context);

}  // namespace bitwright::client
