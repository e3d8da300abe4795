#pragma once

#include <string>

#include "absl/time/time.h"
#include "bitwright/v1/jobs.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/rpc/status.pb.h"
#include "server/web/view.h"

// Parts of messages as pages show them. Pure.
namespace bitwright::server {

std::string IdOf(const std::string& name);                                   // "jobs/3f…" → "3f…"
std::string DisplayName(const std::string& name, const std::string& given);  // what was given, or else the id
std::string TimeText(const google::protobuf::Timestamp& time);  // "2026-11-28 04:19:10 UTC"; empty: not yet
std::string StateText(v1::Job::State state);                    // "running"
std::string RecipeText(const v1::JobSpec& spec);
std::string ErrorText(const google::rpc::Status& error);  // message and reason

// A <progress> of a share of 0 … 1 with its percent.
void PutShare(View& view, double share);
// What every table and page of jobs shows of one.
View JobRow(const v1::Job& job, absl::Time now);

}  // namespace bitwright::server
