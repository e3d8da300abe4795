#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

// What a person sees of work that goes on, and how a job ended.
namespace bitwright::client {

// Shows how far an upload or a download is.
OnTransfer ToReporter(const CommandContext& context);

// Follows a job to its end, showing progress; its notices become warnings.
absl::StatusOr<v1::Job> Follow(const CommandContext& context, Client& client, const std::string& name,
                               const std::function<void(const v1::Job&)>& on_job = nullptr);
void WarnOf(const CommandContext& context, const google::protobuf::RepeatedPtrField<v1::Notice>& notices);

// The exit code of an ended job that did not succeed, after printing why. Input that must be changed is that, however
// late it was found.
ExitCode ReportBadEnd(const CommandContext& context, const v1::Job& job);

}  // namespace bitwright::client
