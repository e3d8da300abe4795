#pragma once

#include <functional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "bitwright/v1/reports.pb.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"
#include "client/cli/out_dir.h"

// What several commands do at the end of a job.
namespace bitwright::client {

// Shows how far an upload or a download is.
OnTransfer ToReporter(const CommandContext& context);

// Writes the artifact and the report of a SUCCEEDED job to OUT. JOB_UNFINISHED when it is not.
absl::StatusOr<v1::Report> Deliver(const CommandContext& context, Client& client, const v1::Job& job,
                                   const OutDir& out);

// What was delivered: for a person, as JSON, and several budgets of one model as a table.
struct Delivery {
  std::string budget;  // as typed; empty: of an old job
  v1::Job job;
  v1::Report report;
  std::string out;
};
std::string DeliveryText(const Delivery& delivery);
std::string DeliveryJson(const Delivery& delivery, std::span<const IgnoredFile> ignored);
std::string CurveText(std::span<const Delivery> deliveries);
std::string CurveJson(std::span<const Delivery> deliveries, std::span<const IgnoredFile> ignored);

// Follows a job to its end, showing progress; its notices become warnings.
absl::StatusOr<v1::Job> Follow(const CommandContext& context, Client& client, const std::string& name,
                               const std::function<void(const v1::Job&)>& on_job = nullptr);
void WarnOf(const CommandContext& context, const google::protobuf::RepeatedPtrField<v1::Notice>& notices);

// Why an ended job did not succeed.
absl::Status EndOf(const v1::Job& job);
// The exit code of such a job, after printing why. Input that must be changed is that, however late it was found.
ExitCode ReportBadEnd(const CommandContext& context, const v1::Job& job);

}  // namespace bitwright::client
