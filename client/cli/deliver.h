#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bitwright/v1/reports.pb.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/out_dir.h"

// From the outcomes of a finished job to folders, and what is said of them.
namespace bitwright::client {

// One outcome.
struct Delivery {
  std::string goal;  // its name, as typed where that is known
  int index = 0;     // among the outcomes of the job
  OutDir out;
  v1::Report report;  // once it is delivered
};

// Where outcomes of such names go: one to OUT itself, several to folders of their names below it.
std::vector<Delivery> DeliveriesTo(const std::string& out, bool force, std::span<const std::string> goals);

// Writes artifacts and reports of a SUCCEEDED job. Broken off, they are continued in all these folders, which are
// finished together. JOB_UNFINISHED: it is not; GOAL_UNKNOWN: it has no such outcome; the errors of OutDir.
absl::Status Deliver(const CommandContext& context, Client& client, const v1::Job& job, std::span<Delivery> deliveries);

// What was delivered: the report of one, a table of several.
std::string DeliveryText(const v1::Job& job, std::span<const Delivery> deliveries);
std::string DeliveryJson(const v1::Job& job, std::span<const Delivery> deliveries,
                         std::span<const IgnoredFile> ignored);

}  // namespace bitwright::client
